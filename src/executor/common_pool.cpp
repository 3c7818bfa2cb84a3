#include <weft/executor/common_pool.hpp>

#include <memory>

#include "executor/pool_core.hpp"
#include "executor/process_wide.hpp"

namespace weft::inline v1 {

thread_pool& common_pool() {
  static detail::process_wide<thread_pool> pool;
  return pool.get([] {
    auto made = std::make_unique<thread_pool>(thread_pool_options::cached(0, "common"));
    made->is_common_ = true;
    return made;
  });
}

}  // namespace weft::inline v1
