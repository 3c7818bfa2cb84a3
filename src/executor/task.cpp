#include <weft/executor/task.hpp>

#include <exception>
#include <memory>
#include <mutex>
#include <utility>

#include <weft/core/oracle.hpp>

namespace weft::detail {

void waiting_driver::run(std::coroutine_handle<> root) {
  waiting_ = root;
  while (!root.done()) {
    source_ = nullptr;
    waiting_.resume();
    if (root.done()) return;
    try {
      source_->wait_ready(no_deadline);
    } catch (...) {
      gave_up_ = std::current_exception();
    }
  }
}

namespace {

/// Posts the resumption of a foreign coroutine.
class resumption final : public future_callback {
 public:
  explicit resumption(std::coroutine_handle<> waiting)
      : waiting_(waiting), on_(current_executor()), captured_(context::capture()) {}

 private:
  void source_ready() noexcept override {
    const std::unique_ptr<resumption> ends_here(this);
    try {
      on_.core()->post({[waiting = waiting_] { waiting.resume(); }, std::move(captured_), {}, {}});
    } catch (...) {
      const context::attachment here(std::move(captured_));
      waiting_.resume();  // the executor refuses; it must go on somewhere
    }
  }

  std::coroutine_handle<> waiting_;
  executor on_;
  context captured_;
};

}  // namespace

void resume_when_ready(future_core& source, std::coroutine_handle<> waiting) {
  source.call_when_ready(*new resumption(waiting));
}

bool runs_in_one(const executor_core& on) noexcept {
  return on.suspends_waits() || oracle::current() != nullptr;  // every thread of a simulation is a fiber
}

/// A part of a started task, from one co_await to the next, as a function that is posted.
class carried_task::part {
 public:
  explicit part(carried_task& of) noexcept : of_(&of) {}
  part(part&& other) noexcept : of_(std::exchange(other.of_, nullptr)), ran_(other.ran_) {}
  part& operator=(part&&) = delete;
  ~part() {
    if (of_ != nullptr) of_->end_part(ran_);
  }
  void operator()() {
    ran_ = true;
    of_->run_part();
  }

 private:
  carried_task* of_;
  bool ran_ = false;
};

carried_task::carried_task(std::shared_ptr<executor_core> on, std::source_location from)
    : task_block(next_task_id(), false), submission_(std::move(on), {}, from) {
  context = weft::context::capture().release_node();
}

carried_task::~carried_task() { detail::release(context); }

void carried_task::go_on(std::coroutine_handle<> next) noexcept {
  waiting_ = next;
  const std::shared_ptr<executor_core> on = submission_.on();
  try {
    on->post({part(*this), weft::context(), {}, submission_.from()});
  } catch (...) {
    // Its part has ended as one that did not run.
  }
}

void carried_task::enter(task_block& carrier) noexcept {
  {
    const std::lock_guard lock(carrier_lock_);
    carrier_ = &carrier;
    if (std::exchange(permit_, false)) carrier.unpark();
  }
  place = carrier.place;
  no_wait = carrier.no_wait;
  running_task = this;
  context_changes_to(context, context_change::switched);
}

void carried_task::leave(task_block& carrier) noexcept {
  running_task = &carrier;
  context_changes_to(carrier.context, context_change::switched);
  const std::lock_guard lock(carrier_lock_);
  carrier_ = nullptr;
}

void carried_task::run_part() noexcept {
  task_block& carrier = task_block::current();
  enter(carrier);
  if (!scope_) {
    scope_.emplace();
    const std::lock_guard lock(stop_lock_);
    open_scope_ = &*scope_;
    if (cancelled_) scope_->cancel(*cancelled_);
  }
  source_ = nullptr;
  waiting_.resume();
  is_over_ = is_done();
  if (is_over_) {
    keep_outcome();
    if (extras != nullptr) extras->end();
    end_scope();
  } else {
    const std::lock_guard lock(stop_lock_);
    awaited_ = source_;
  }
  leave(carrier);
}

void carried_task::end_scope() noexcept {
  {
    const std::lock_guard lock(stop_lock_);
    open_scope_ = nullptr;
  }
  scope_.reset();
}

/// The carrier has left the part: what comes next may end this at once.
void carried_task::end_part(bool ran) noexcept {
  if (!ran) {
    task_block& carrier = task_block::current();
    enter(carrier);
    drop();
    end_scope();
    leave(carrier);
  }
  if (!ran || is_over_) {
    detail::release(std::exchange(context, nullptr));
    return ended();
  }
  std::optional<cancel_reason> reason;
  {
    const std::lock_guard lock(stop_lock_);
    reason = cancelled_;
  }
  future_core& source = *source_;
  source.retain();
  if (reason) source.cancel(*reason);
  source.call_when_ready(*this);
  source.release();
}

void carried_task::source_ready() noexcept {
  {
    const std::lock_guard lock(stop_lock_);
    awaited_ = nullptr;
  }
  go_on(waiting_);
}

void carried_task::cancel_here(cancel_reason reason) noexcept {
  const std::lock_guard lock(stop_lock_);
  if (cancelled_) return;
  cancelled_ = reason;
  if (open_scope_ != nullptr) open_scope_->cancel(reason);
}

future_core* carried_task::awaited() noexcept {
  const std::lock_guard lock(stop_lock_);
  if (awaited_ != nullptr) awaited_->retain();
  return awaited_;
}

bool carried_task::park_until(steady_time until) {
  task_block* carrier = nullptr;
  {
    const std::lock_guard lock(carrier_lock_);
    if (std::exchange(permit_, false)) return true;
    carrier = carrier_;
  }
  running_task = carrier;
  const bool permitted = carrier->park_until(until);
  running_task = this;
  return permitted;
}

void carried_task::unpark() noexcept {
  const std::lock_guard lock(carrier_lock_);
  if (carrier_ != nullptr) {
    carrier_->unpark();
  } else {
    permit_ = true;
  }
}

}  // namespace weft::detail
