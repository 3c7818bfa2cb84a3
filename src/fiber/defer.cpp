#include <weft/fiber/defer.hpp>

#include <weft/core/error.hpp>
#include <weft/fiber/fiber_extras.hpp>

namespace weft::inline v1::detail {

void defer_call(unique_function<void()> call) {
  if (!task_block::current().is_fiber()) {
    throw error(
        errc::misuse,
        "defer: the caller is on a plain thread, which has no end to defer to; use a destructor, or call "
        "it inside weft::run");
  }
  fiber_extras::current().defer(std::move(call));
}

}  // namespace weft::inline v1::detail
