#include <weft/fiber/loops.hpp>

#include <weft/core/error.hpp>

#include "fiber/loop_executor.hpp"
#include "fiber/runtime.hpp"
#include "fiber/scheduler.hpp"

namespace weft::inline v1 {

std::vector<executor> loop_executors() {
  const detail::scheduler* const here = detail::scheduler::current();
  if (here == nullptr)
    throw error(errc::no_scheduler, "loop_executors: outside weft::run, where there are no loops");
  const std::vector<detail::scheduler*>& loops = here->of().loops();
  std::vector<executor> all;
  all.reserve(loops.size());
  for (std::size_t step = 0; step < loops.size(); ++step)
    all.emplace_back(loops[(here->index() + step) % loops.size()]->as_executor());
  return all;
}

}  // namespace weft::inline v1
