#include <weft/executor/carried_task.hpp>

#include <exception>
#include <mutex>
#include <string>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/safepoint.hpp>

#include "executor/cancel_desk.hpp"
#include "executor/exception_of.hpp"
#include "executor/posted_part.hpp"

namespace weft::inline v1::detail {

bool runs_in_one(const executor_core& on) noexcept { return on.suspends_waits(); }

/// One of the references to the outcome, and so to the task.
class carried_task::reference {
 public:
  explicit reference(carried_task& of) noexcept : of_(&of) { of.outcome().retain(); }
  reference(reference&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
  reference& operator=(reference&&) = delete;
  ~reference() {
    if (of_ != nullptr) of_->outcome().release();
  }
  carried_task* operator->() const noexcept { return of_; }

 private:
  carried_task* of_;
};

carried_task::carried_task(std::shared_ptr<executor_core> on, std::source_location from)
    : task_block(next_task_id(), false),
      coroutine_driver(false),
      submission_(std::move(on), {}, from),
      desk_(cancel_desk::get()) {
  desk_.enter();
  context = weft::context::capture().release_node();
}

carried_task::~carried_task() { detail::release(context); }

// Parts.

bool carried_task::begin(std::coroutine_handle<> first) noexcept {
  waiting_ = first;
  return post_part();
}

bool carried_task::post_part() noexcept {
  const std::shared_ptr<executor_core> on = submission_.on();
  open_ends_.store(2, std::memory_order_relaxed);
  ran_ = false;
  std::exception_ptr refused;
  try {
    on->post({posted_part(*this), weft::context(), {}, submission_.from()});
  } catch (...) {
    refused = std::current_exception();
    refused_ = refused;
  }
  end_one();
  return refused == nullptr;
}

void carried_task::end_one() noexcept {
  if (open_ends_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const weft::context::attachment in_root{weft::context()};
  end_part();
}

void carried_task::enter(task_block& carrier) noexcept {
  {
    const std::lock_guard lock(carrier_lock_);
    carrier_ = &carrier;
    if (std::exchange(permit_, false)) carrier.unpark();
  }
  place = carrier.place;
  no_wait = carrier.no_wait;
  ++safepoints_off;
  running_task = this;
  context_changes_to(context, context_change::switched);
}

void carried_task::leave(task_block& carrier) noexcept {
  running_task = &carrier;
  --safepoints_off;
  context_changes_to(carrier.context, context_change::switched);
  const std::lock_guard lock(carrier_lock_);
  carrier_ = nullptr;
}

void carried_task::run_part() noexcept {
  ran_ = true;
  task_block& carrier = task_block::current();
  enter(carrier);
  heed(carrier);
  if (!scope_ && !open_scope()) {
    drop_here();
  } else {
    {
      const std::lock_guard lock(stop_lock_);
      if (const auto why = std::exchange(wait_stopped_, std::nullopt); why && gave_up_ == nullptr) {
        gave_up_ = exception_of([&] { return cancelled(*why, "co_await"); });
      }
    }
    source_ = nullptr;
    waiting_.resume();
    if (is_done()) {
      keep_outcome();
      end_scope();
    } else {
      const std::lock_guard lock(stop_lock_);
      awaited_ = source_;
    }
  }
  leave(carrier);
}

/// False: it was cancelled before it began, or there is no memory.
bool carried_task::open_scope() noexcept {
  try {
    scope_.emplace();
  } catch (...) {
    refused_ = std::current_exception();
    return false;
  }
  const std::lock_guard lock(stop_lock_);
  if (cancelled_) return false;
  begun_.store(true, std::memory_order_relaxed);
  open_scope_ = &*scope_;
  return true;
}

/// It is the running task.
void carried_task::drop_here() noexcept {
  std::exception_ptr why = refused_;
  {
    const std::lock_guard lock(stop_lock_);
    if (cancelled_) why = make_stopped(*cancelled_);
  }
  drop(why != nullptr ? why : make_dropped());
  end_scope();
}

void carried_task::end_scope() noexcept {
  if (extras != nullptr) extras->end();
  {
    const std::lock_guard lock(stop_lock_);
    open_scope_ = nullptr;
  }
  scope_.reset();
  is_over_ = true;
}

/// In the root context; what comes next may end this at once.
void carried_task::end_part() noexcept {
  if (!ran_) {
    task_block& carrier = task_block::current();
    enter(carrier);
    drop_here();
    leave(carrier);
  }
  if (!is_over_) return suspend();
  detail::release(std::exchange(context, nullptr));
  timer_.cancel();
  desk_.leave();
  ended();
}

// Waiting.

void carried_task::suspend() noexcept {
  future_core& source = *source_;
  if (&source == &outcome()) {
    gave_up_ = exception_of(
        [] { return error(errc::deadlock, "co_await: a task awaits its own end; it would wait for ever"); });
    return source_ready();
  }
  source.retain();
  cancel_reason why{};
  if (future_core* const stopped = stop_wait(why)) {
    stopped->cancel(why);
    stopped->release();
  } else if (!watch_deadline()) {
    source.cancel(cancel_reason::requested);
  }
  source.call_when_ready(*this);
  source.release();
}

void carried_task::source_ready() noexcept {
  {
    const std::lock_guard lock(stop_lock_);
    awaited_ = nullptr;
  }
  const weft::context::attachment in_root{
      weft::context()};  // it may wait for room, whoever is cancelled here
  post_part();
}

/// The timer is that of the deadline in force. False: it cannot be had, and the wait fails.
bool carried_task::watch_deadline() noexcept {
  const cancel_state* const state = cancel_state_of(*this);
  const steady_time until = state == nullptr ? no_deadline : state->deadline();
  if (until == watched_until_) return true;
  timer_.cancel();
  watched_until_ = until;
  try {
    timer_ = future_timer(until, [of = reference(*this)] { of->stop_wait_if_asked(); });
    return true;
  } catch (...) {
    watched_until_ = no_deadline;
    gave_up_ = std::current_exception();
    return false;
  }
}

// Cancellation.

/// By its context; also where the caller unwinds. With stop_lock_, while it is suspended.
std::optional<cancel_reason> carried_task::asked_to_stop() const noexcept {
  const cancel_state* const state = cancel_state_of(*this);
  if (state == nullptr || state->is_quiet()) return std::nullopt;
  if (const auto reason = state->requested()) return reason;
  if (state->deadline() <= steady_clock::now()) return cancel_reason::deadline;
  return std::nullopt;
}

/// What it awaits, with a reference, to be cancelled for that reason: where it is suspended, its context asks
/// to give up, and nobody has come for that before.
future_core* carried_task::stop_wait(cancel_reason& why) noexcept {
  const std::lock_guard lock(stop_lock_);
  if (awaited_ == nullptr || wait_stopped_) return nullptr;
  wait_stopped_ = asked_to_stop();
  if (!wait_stopped_) return nullptr;
  why = *wait_stopped_;
  awaited_->retain();
  return awaited_;
}

void carried_task::stop_wait_if_asked() noexcept {
  cancel_reason why{};
  future_core* const stopped = stop_wait(why);
  if (stopped == nullptr) return;
  stopped->cancel(why);
  stopped->release();
}

future_core* carried_task::stop(cancel_reason reason) noexcept {
  {
    const std::lock_guard lock(stop_lock_);
    if (!cancelled_) {
      cancelled_ = reason;
      if (open_scope_ != nullptr) open_scope_->cancel(reason);
    }
  }
  return stop_wait(reason);
}

future_core* carried_task::awaited() noexcept {
  const std::lock_guard lock(stop_lock_);
  if (awaited_ != nullptr) awaited_->retain();
  return awaited_;
}

void carried_task::serve_at_desk() noexcept {
  std::optional<outside_work> may_wake_tasks;
  {
    const std::lock_guard lock(carrier_lock_);
    may_wake_tasks.swap(at_desk_);
  }
  stop_wait_if_asked();
  outcome().release();
}

void carried_task::refuse_wait_by_itself(const char* what) const {
  if (&task_block::current() == this) {
    throw error(errc::deadlock, std::string(what) + ": a task waits for its own end; it would wait for ever");
  }
  if (begun_.load(std::memory_order_relaxed) && submission_.on()->concurrency() != 1) return;
  submission_.refuse_wait_by_itself(what);
}

/// Hands on what asks the carrier to give up, as the end of its pool; nothing where that ends regularly.
void carried_task::heed(task_block& carrier) noexcept {
  const cancel_state* const state = cancel_state_of(carrier);
  if (state == nullptr || state->is_quiet() || !scope_) return;
  if (const auto reason = state->requested()) scope_->cancel(*reason);
}

// As a task that waits.

bool carried_task::park_until(steady_time until) {
  task_block* carrier = nullptr;
  {
    const std::lock_guard lock(carrier_lock_);
    carrier = carrier_;
    if (std::exchange(permit_, false)) return true;
  }
  heed(*carrier);
  running_task = carrier;
  --safepoints_off;
  context_changes_to(carrier->context, context_change::switched);
  const bool permitted = carrier->park_until(until);
  ++safepoints_off;
  running_task = this;
  context_changes_to(context, context_change::switched);
  heed(*carrier);
  return permitted;
}

void carried_task::unpark() noexcept {
  const std::lock_guard lock(carrier_lock_);
  if (carrier_ != nullptr) return carrier_->unpark();
  permit_ = true;
  if (at_desk_) return;
  at_desk_.emplace();
  outcome().retain();
  desk_.add(*this);
}

}  // namespace weft::inline v1::detail
