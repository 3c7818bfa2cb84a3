#include <weft/fiber/fiber_properties.hpp>

#include <weft/core/task_block.hpp>
#include <weft/fiber/fiber_local.hpp>

namespace weft::inline v1 {
namespace {

constinit fiber_local<property_map> own;

}  // namespace

property_map* fiber_properties() {
  const detail::task_block* const task = detail::task_block::current_or_null();
  return task != nullptr && task->is_fiber() ? &own.get() : nullptr;
}

}  // namespace weft::inline v1
