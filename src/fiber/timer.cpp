#include <weft/fiber/timer.hpp>

#include <weft/core/error.hpp>

#include "fiber/timer_home.hpp"

namespace weft::inline v1 {
namespace detail {

timer_record::timer_record(context_node* captured_ref, std::source_location from) noexcept
    : loop_timer([](loop_timer& self) noexcept {
        auto& timer = static_cast<timer_record&>(self);
        timer.home_->fire(timer);
      }),
      context_(weft::context::from_node(captured_ref)),
      id_(next_task_id()),
      made_by_(task_block::current().id()),
      made_at_(from) {}

void timer_record::fiber_over() noexcept { home_->tick_over(*this); }

void timer_record::discard() noexcept { destroy(); }

void arm_timer(timer_record* record_ref, steady_time due) {
  try {
    timer_home::here().arm(*record_ref, due);
  } catch (...) {
    record_ref->discard();
    throw;
  }
}

void refuse_period(steady_clock::duration period) {
  if (period >= std::chrono::milliseconds(1)) return;
  throw error(errc::invalid_argument, "every: a period of " + std::to_string(period.count()) +
                                          " ns is too short; timers have a grain of one millisecond");
}

}  // namespace detail

bool timer::cancel() noexcept { return record_ != nullptr && record_->home().cancel(*record_, true); }

void timer::stop() {
  if (record_ == nullptr) return;
  record_->home().cancel(*record_, false);
  record_->home().wait_idle(*record_, "timer::stop", true);
}

void timer::detach() noexcept {
  if (record_ == nullptr) return;
  detail::timer_record& gone = *std::exchange(record_, nullptr);
  gone.home().release(gone);
}

void timer::drop() noexcept {
  if (record_ == nullptr) return;
  record_->home().cancel(*record_, true);
  record_->home().wait_idle(*record_, "the end of a timer", false);
  detach();
}

bool timer::active() const noexcept { return record_ != nullptr && record_->home().is_active(*record_); }
std::uint64_t timer::id() const noexcept { return record_ == nullptr ? 0 : record_->id(); }
timer_info timer::info() const { return record_ == nullptr ? timer_info{} : record_->home().info(*record_); }

std::vector<timer_info> list_timers() { return detail::timer_home::list(); }
timer_statistics statistics_of_timers() noexcept { return detail::timer_home::statistics(); }

}  // namespace weft::inline v1
