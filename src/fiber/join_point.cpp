#include <weft/fiber/join_point.hpp>

namespace weft::inline v1::detail {

bool join_point::wait(steady_time until) {
  std::unique_lock lock(lock_);
  if (is_done()) return true;
  waiter self;
  const auto outcome = wait_in(joiners_, self, lock, until, "fiber::join");
  if (outcome != wait_outcome::cancelled) return outcome == wait_outcome::served;
  lock.unlock();
  throw_cancelled("fiber::join");
}

}  // namespace weft::inline v1::detail
