#include "fiber/tick_fiber.hpp"

#include <utility>

#include "fiber/timer_home.hpp"

namespace weft::inline v1::detail {

tick_fiber::tick_fiber(timer_record& of, fiber_origin origin) : fiber_result<void>(origin), of_(of) {
  set_parent(of.made_by_);
  set_watcher(of);
}

void tick_fiber::run_body() noexcept {
  outcome_.emplace(result<void>::of([this] { of_.call(); }));
  of_.home_->call_over(of_, is_last() || (of_.stops_on_error && !outcome_->has_value()));
}

void tick_fiber::fail_unstarted(std::exception_ptr why) noexcept {
  outcome_.emplace(std::move(why));
  of_.home_->call_over(of_, is_last());
}

/// Was it asked to give up by what is around it? Then others would be, too.
bool tick_fiber::is_last() const noexcept {
  return requested().has_value() || (deadline() != no_deadline && deadline() <= steady_clock::now());
}

}  // namespace weft::inline v1::detail
