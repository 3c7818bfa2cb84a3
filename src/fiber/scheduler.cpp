#include "fiber/scheduler.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <mutex>
#include <new>
#include <string>
#include <utility>

#include <sys/resource.h>

#include <weft/core/error.hpp>
#include <weft/core/milliseconds_until.hpp>

#include "core/probe.hpp"
#include "fiber/hook_seam.hpp"
#include "fiber/inspection.hpp"
#include "fiber/loop_executor.hpp"
#include "fiber/run_meters.hpp"
#include "fiber/runtime.hpp"
#include "fiber/sanitizer.hpp"
#include "fiber/simulation.hpp"
#include "fiber/switch_stack.hpp"

namespace weft::inline v1::detail {
namespace {

constexpr int turns_between_looks = 64;                   // at timers and other threads' wakes
constexpr auto rest_min = std::chrono::microseconds(50);  // a shorter sleep is a look for what has come
constexpr auto time_between_polls = std::chrono::microseconds(60);  // while fibers are ready
constexpr int jumps_between_looks = 48;  // so the line moves by at least a quarter of the turns
constexpr std::ptrdiff_t unsettled_max = 64;

/// For counters that one thread writes and others read.
template <typename Number>
void bump(std::atomic<Number>& counter, Number by = 1) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

}  // namespace

constinit thread_local scheduler* current_scheduler = nullptr;

scheduler::scheduler(runtime& of, std::size_t index)
    : runtime_(of),
      index_(index),
      simulation_(simulation_world::current()),
      live_exceptions_(thread_exception_state()),
      errno_(errno),
      stacks_(of.options().stack_bytes, of.options().stacks_idle_max),
      meter_(run_meters::get().loop_lag(), run_meters::get().timer_lag()),
      executor_(std::make_shared<loop_executor>(*this)),
      place_{.on = executor_.get(), .around = task_block::current().place},
      seen_switches_(of.options().threads) {
  if (current_scheduler != nullptr) {
    throw error(errc::misuse,
                "run: this thread is already inside weft::run; runs do not nest, use go or a scope");
  }
  adopt_thread_stack(loop_stack_);
  current_scheduler = this;
  turn_due.store(true, std::memory_order_relaxed);  // the first safepoint asks for marks
}

scheduler::~scheduler() {
  executor_->close();
  user_timers.reset();
  current_scheduler = nullptr;
}

poller& scheduler::io() {
  if (is_simulated()) {
    throw error(errc::unsupported,
                "io: descriptors are not part of a simulation; put a channel or a fake in their place");
  }
  return poller_;
}

const run_options& scheduler::options() const noexcept { return runtime_.options(); }

// The line.

[[gnu::always_inline]] inline void scheduler::push_ready(fiber_block& fiber) noexcept {
  fiber.turn_ = ++last_turn_;
  ready_.push_back(fiber);
}

[[gnu::always_inline]] inline fiber_block* scheduler::next_in_line() noexcept {
  if (is_simulated()) [[unlikely]]
    return next_simulated();
  fiber_block* const ready = ready_.front();
  const std::int64_t turn = ready != nullptr ? ready->turn_ : std::numeric_limits<std::int64_t>::max();
  if (fiber_block* const unstarted = unstarted_.pop_before(turn)) return unstarted;
  if (ready != nullptr) ready_.remove(*ready);
  return ready;
}

/// Any of those in line. But go_now means at once: it and its caller were put in front.
fiber_block* scheduler::next_simulated() noexcept {
  fiber_block* next = ready_.front();
  const bool at_once = next != nullptr && next->turn_ < 0;
  const std::size_t ready = ready_.length(), all = ready + unstarted_.size();
  if (all == 0) return nullptr;
  const std::size_t index = at_once ? 0 : simulation_->choose(all);
  if (index < ready) {
    next = &ready_.at(index);
    ready_.remove(*next);
  } else {
    next = unstarted_.pop_at(index - ready);
  }
  simulation_->turn_of(*next);
  return next;
}

[[gnu::always_inline]] inline fiber_block* scheduler::next_ready() noexcept {
  if (turns_left_ <= 0) return nullptr;
  --turns_left_;
  return next_in_line();
}

void scheduler::hurry(fiber_block& fiber) noexcept {
  if (fiber.started_.load(std::memory_order_relaxed) || unstarted_.size() == 0) return;
  unstarted_.move_to_front(fiber, first_turn_, this);
}

void scheduler::adopt(fiber_line& stolen) noexcept {
  bump<std::uint64_t>(steals_);
  bump<std::uint64_t>(stolen_, stolen.length());
  while (fiber_block* const fiber = stolen.front()) {
    stolen.remove(*fiber);
    fiber->turn_ = ++last_turn_;
    unstarted_.push_back(*fiber);
  }
}

// Fibers.

void scheduler::enroll(fiber_block& fiber) {
  const std::ptrdiff_t delta = alive_delta_.load(std::memory_order_relaxed);
  runtime_.count_one_more(delta);
  fiber.home_.store(this, std::memory_order_relaxed);
  fiber.registry_ = this;
  fiber.lifetime_.store(now_.time_since_epoch().count(), std::memory_order_relaxed);
  fiber.join_tree(fiber);
  {
    const std::lock_guard lock(alive_lock_);
    fiber.next_alive_ = alive_;
    if (alive_ != nullptr) alive_->previous_alive_ = &fiber;
    alive_ = &fiber;
  }
  alive_delta_.store(delta + 1, std::memory_order_relaxed);
  if (delta + 1 >= unsettled_max) settle_alive();
  if (runtime_.ending()) fiber.cancel(cancel_reason::shutdown);
}

void scheduler::settle_alive() noexcept {
  const std::ptrdiff_t delta = alive_delta_.load(std::memory_order_relaxed);
  if (delta == 0) return;
  alive_delta_.store(0, std::memory_order_relaxed);
  runtime_.settle(delta);
}

void scheduler::add(fiber_block& fiber, bool here_only) {
  enroll(fiber);
  if (here_only) {
    push_ready(fiber);
    return;
  }
  fiber.turn_ = ++last_turn_;
  unstarted_.push_back(fiber);
  runtime_.offer();
}

void scheduler::add_and_run(fiber_block& fiber) {
  enroll(fiber);
  fiber_block& caller = *running();
  caller.turn_ = --first_turn_;
  ready_.push_front(caller);
  fiber.turn_ = --first_turn_;
  ready_.push_front(fiber);
  ++turns_left_;
  suspend();
}

void scheduler::remove(fiber_block& fiber) noexcept {
  {
    scheduler& registry = *fiber.registry_;
    const std::lock_guard lock(registry.alive_lock_);
    (fiber.previous_alive_ != nullptr ? fiber.previous_alive_->next_alive_ : registry.alive_) =
        fiber.next_alive_;
    if (fiber.next_alive_ != nullptr) fiber.next_alive_->previous_alive_ = fiber.previous_alive_;
  }
  // With the last reference its result ends here, whose destructor may wait: the fiber still has its
  // stack, and the run still counts it.
  fiber_watcher* const watcher = fiber.watcher_;
  const std::uint64_t parent_id = fiber.parent_id();
  fiber.release();
  // Its block may be gone: on this stack nobody runs any more.
  running_.store(nullptr, std::memory_order_relaxed);
  running_task = nullptr;
  if (watcher != nullptr) tell_end(parent_id, [watcher] { watcher->fiber_over(); });
  bump<std::uint64_t>(ended_);
  const std::ptrdiff_t delta = alive_delta_.load(std::memory_order_relaxed) - 1;
  alive_delta_.store(delta, std::memory_order_relaxed);
  if (delta <= -unsettled_max) settle_alive();
}

bool scheduler::bind_stack(fiber_block& fiber) noexcept {
  try {
    fiber.stack_ = stacks_.pool_for(fiber.stack_bytes_).acquire();
  } catch (const std::bad_alloc&) {
    errno = ENOMEM;
  }
  if (fiber.stack_ != nullptr) {
    prepare_stack(*fiber.stack_, &scheduler::run_stack, this);
    return true;
  }
  const int why = errno;
  fiber.fail_unstarted(std::make_exception_ptr(
      error(errc::resource_exhausted, std::string(system_error("go: get a stack for a fiber", why).what()))));
  set_running(&fiber);  // it ends as itself: its context, its uncaught handler
  fiber.no_wait = "the end of a fiber that got no stack";
  fiber.finish();
  set_running(nullptr);
  remove(fiber);
  return false;
}

/// Runs fibers that have not started one after the other on one stack, as long as none of them
/// leaves it by waiting and the next in line has not started either.
void* scheduler::run_stack(void* self) noexcept {
  auto& here = *static_cast<scheduler*>(self);
  sanitizer::arrived(*here.running()->stack_);
  for (;;) {
    fiber_block* const fiber = here.running();
    stack_record* const stack = fiber->stack_;
    here.execute(*fiber);
    fiber_block* const next = here.next_ready();
    if (next != nullptr && next->stack_ == nullptr && here.stacks_.fits(*stack, next->stack_bytes_)) {
      next->stack_ = stack;
      here.set_running(next);
      continue;
    }
    const landing to = here.land(next);
    stack->pool->release(*stack);
    return leave_stack(*stack, to.stack, here.live_exceptions_);
  }
}

void scheduler::execute(fiber_block& fiber) noexcept {
  fiber.started_.store(true, std::memory_order_relaxed);
  bump<std::uint64_t>(started_);
  fiber.place = &place_;
  WEFT_PROBE(fiber__start, fiber.id(), fiber.parent_id(), fiber.name().data());
  if (const auto reason = fiber.requested()) {
    fiber.fail_unstarted(std::make_exception_ptr(cancelled(*reason, "start")));
  } else {
    fiber.run_body();
  }
  fiber.finish();
  WEFT_PROBE(fiber__end, fiber.id());
  remove(fiber);
}

// Switching.

[[gnu::always_inline]] inline void scheduler::set_running(fiber_block* fiber) noexcept {
  running_.store(fiber, std::memory_order_relaxed);
  running_task = fiber;
  bump<std::uint64_t>(switches_);
  WEFT_PROBE(fiber__switch, fiber);
  context_changes_to(fiber != nullptr ? fiber->context : nullptr, context_change::switched);
}

/// Makes `next` the running one, with a stack; the loop itself if there is none.
[[gnu::always_inline]] inline scheduler::landing scheduler::land(fiber_block* next) noexcept {
  bool is_new = false;
  while (next != nullptr && next->stack_ == nullptr) {
    is_new = bind_stack(*next);
    if (!is_new) next = next_ready();
  }
  set_running(next);
  return {next != nullptr ? *next->stack_ : loop_stack_, is_new};
}

void scheduler::switch_to(stack_record& from, fiber_block* next) noexcept {
  const landing to = land(next);
  if (to.is_new) return start_stack(from, to.stack, live_exceptions_);
  if (&to.stack != &from) switch_stack(from, to.stack, live_exceptions_);
}

void scheduler::suspend() noexcept {
  const int kept_errno = errno_;  // it belongs to the thread; the fiber's value must survive
  switch_to(*running()->stack_, next_ready());
  while (inspection_ != nullptr) inspection_->answer();  // asked for its stack: this is not its turn
  errno_ = kept_errno;
}

void scheduler::yield_turn() noexcept {
  push_ready(*running());
  suspend();
}

void scheduler::yield_to_loop() noexcept {
  turns_left_ = 0;
  yield_turn();
}

// Waking.

void scheduler::wake(fiber_block& fiber) noexcept {
  if (is_home()) {
    if (parent_of_ended_ && jumps_left_ > 0) {
      --jumps_left_;
      const auto behind = unstarted_.turn_behind_children(*parent_of_ended_);
      fiber.turn_ = behind ? *behind : --first_turn_;
      ready_.push_front(fiber);
    } else {
      push_ready(fiber);
    }
    return;
  }
  remote_wakes_.push(fiber);
  // The fiber may run from here on, but it cannot end the run under our feet: it leaves its wait only
  // after it has held the lock under which we were called; see task_block.
  runtime_.rouse(*this);
}

void scheduler::take_remote_wakes() noexcept {
  if (remote_wakes_.seems_empty()) return;
  if (is_simulated()) simulation_->woken_from_outside();
  remote_wakes_.take_all([this](fiber_block& fiber) { push_ready(fiber); });
}

void scheduler::post(unique_function<void()> call) {
  calls_.post(std::move(call), [this] { runtime_.rouse(*this); });
}

// Timers: whole milliseconds since the run began, rounded up, so that none is early.

std::uint64_t scheduler::tick_of(steady_time time) const noexcept {
  if (time <= epoch_) return 0;
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(time - epoch_).count());
}

void scheduler::arm(loop_timer& timer, steady_time due) noexcept { timers_.arm(timer, tick_of(due)); }
void scheduler::disarm(loop_timer& timer) noexcept { timers_.cancel(timer); }

void scheduler::arm_apart(loop_timer& timer, steady_time due) noexcept {
  arm(timer, due);
  ++timers_apart_;
}

void scheduler::fire_timers() noexcept {
  if (timers_.empty()) return;
  const auto passed =
      static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(now_ - epoch_).count());
  std::uint64_t first = passed + 1;
  timers_.advance(passed, [&first](timer_node& node) {
    first = std::min(first, node.due);
    auto& timer = static_cast<loop_timer&>(node);
    timer.fire(timer);
  });
  if (first <= passed && !is_simulated()) meter_.timer_fired(now_ - time_of(first));
}

// The loop.

/// The turn of the fiber that is next in line.
std::int64_t scheduler::front_turn() noexcept {
  const fiber_block* const ready = ready_.front();
  return std::min(ready != nullptr ? ready->turn_ : loop_meter::nobody,
                  unstarted_.front_turn(loop_meter::nobody));
}

void scheduler::begin_turn() noexcept {
  if (is_simulated()) return;
  if (meter_.begin_turn(now_, front_turn(), last_turn_)) copy_figures();
}

void scheduler::copy_figures() noexcept {
  loop_figures now{.ready = ready_.length(), .timers = static_cast<std::size_t>(timers_.size())};
  stacks_.add_to(now);
  meter_.copy(now);
}

void scheduler::run_ready() noexcept {
  turns_left_ = is_simulated() ? 1 : turns_between_looks;
  jumps_left_ = is_simulated() ? 0 : jumps_between_looks;
  if (fiber_block* const next = next_ready()) switch_to(loop_stack_, next);
}

void scheduler::poll_if_due() noexcept {
  if (now_ - polled_ < time_between_polls || poller_.waiting() == 0) return;
  polled_ = now_;
  poller_.look();
}

void scheduler::sleep() {
  settle_alive();
  const loop_rest rest = runtime_.lie_down(*this);
  if (!rest.allowed) return runtime_.watch().loop_woke();  // it was down for a moment
  steady_time until = rest.until;
  if (const auto next = timers_.next_tick()) {
    until = std::min(until, epoch_ + std::chrono::milliseconds(*next));
  }
  if (stacks_.have_excess()) until = std::min(until, now_ + stack_pool::tidy_interval);
  copy_figures();
  if (is_simulated()) {
    simulation_->advance_to(until);
    runtime_.get_up(*this);
    return;
  }
  const steady_time now = steady_clock::now();
  meter_.end_line(now);
  sleeps_since_ = now;
  poller_.wait(milliseconds_until(until, now));
  runtime_.get_up(*this);
  runtime_.watch().loop_woke();
}

// A look that took long, because the machine was busy elsewhere, was no rest; it did not block this thread.
steady_time scheduler::at_rest() noexcept {
  if (maybe_rest_ == at_rest_) return at_rest_;
  rusage used{};
  ::getrusage(RUSAGE_THREAD, &used);
  if (used.ru_nvcsw != blocked_) at_rest_ = maybe_rest_;
  maybe_rest_ = at_rest_;
  blocked_ = used.ru_nvcsw;
  return at_rest_;
}

void scheduler::loop() {
  const hooked_thread hooked;
  while (!runtime_.over()) {
    now_ = steady_clock::now();
    if (sleeps_since_ != no_deadline) {
      if (now_ - sleeps_since_ >= rest_min) maybe_rest_ = now_;
      sleeps_since_ = no_deadline;
    }
    take_remote_wakes();
    calls_.run_all();
    fire_timers();
    if (has_ready()) runtime_.pass_search_on(*this);
    begin_turn();
    run_ready();
    poller_.end_if_forked();
    stacks_.tidy(now_);
    if (has_ready()) {
      poll_if_due();
    } else if (!runtime_.find_work(*this)) {
      sleep();
    }
  }
  copy_figures();
  if (is_simulated()) return;
  meter_.end_line(steady_clock::now());
  meter_.flush();
}

// For those who watch.

fiber_info scheduler::describe(const fiber_block& fiber) const {
  fiber_info info{.id = fiber.id(), .parent_id = fiber.parent_id(), .name = std::string(fiber.name())};
  const scheduler* const home = fiber.home_.load(std::memory_order_relaxed);
  info.loop = home->index();
  info.elapsed = fiber.elapsed();
  if (!fiber.started_.load(std::memory_order_relaxed)) {
    info.state = fiber_state::not_started;
  } else if (home->running() == &fiber) {
    info.state = fiber_state::running;
  } else if (const char* const wait = fiber.waits_for.load(std::memory_order_relaxed);
             wait != nullptr && fiber.is_parked()) {
    info.state = fiber_state::waiting;
    info.waits_for = wait;
  } else {
    info.state = fiber_state::ready;
  }
  return info;
}

void scheduler::add_to(run_statistics& sum) noexcept {
  if (is_home()) copy_figures();
  const loop_figures now = meter_.figures();
  sum.fibers += static_cast<std::size_t>(alive_delta_.load(std::memory_order_relaxed));
  sum.fibers_started += started_.load(std::memory_order_relaxed);
  sum.fibers_ended += ended_.load(std::memory_order_relaxed);
  sum.fibers_ready += now.ready + unstarted_.size();
  sum.fibers_stolen += stolen_.load(std::memory_order_relaxed);
  sum.switches += switches();
  sum.steals += steals_.load(std::memory_order_relaxed);
  sum.stacks += now.stacks;
  sum.stacks_in_use += now.stacks_in_use;
  sum.stacks_idle += now.stacks_idle;
  sum.stack_peak_bytes = std::max(sum.stack_peak_bytes, now.stack_touched);
  sum.timers += now.timers;
}

}  // namespace weft::inline v1::detail
