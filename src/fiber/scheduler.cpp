#include "fiber/scheduler.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <new>
#include <utility>

#include <weft/core/error.hpp>

#include "fiber/inspection.hpp"
#include "fiber/sanitizer.hpp"

namespace weft::detail {
namespace {

constexpr int turns_between_polls = 64;
constexpr std::size_t cells_kept_max = 4096;

[[gnu::tls_model("initial-exec")]] constinit thread_local scheduler* current_scheduler = nullptr;

[[gnu::noinline]] void set_current_scheduler(scheduler* now) noexcept { current_scheduler = now; }

}  // namespace

[[gnu::noinline]] scheduler* scheduler::current() noexcept { return current_scheduler; }

scheduler::scheduler(run_options options)
    : options_(std::move(options)),
      live_exceptions_(thread_exception_state()),
      stacks_(options_.stack_bytes) {
  if (current_scheduler != nullptr) {
    throw error(errc::misuse,
                "run: this thread is already inside weft::run; runs do not nest, use go or a scope");
  }
  if (options_.threads != 1) {
    throw error(errc::unsupported, "run: threads = " + std::to_string(options_.threads) +
                                       " is not offered yet; use 1 and a thread_pool for other cores");
  }
  adopt_thread_stack(loop_stack_);
  set_current_scheduler(this);
}

scheduler::~scheduler() {
  set_current_scheduler(nullptr);
  for (free_cell* cell : free_cells_) {
    while (cell != nullptr) {
      free_cell* const next = cell->next;
      ::operator delete(cell);
      cell = next;
    }
  }
}

// Ready line.

void scheduler::push_ready(fiber_block& fiber) noexcept {
  fiber.queued_ = true;
  fiber.next_ = nullptr;
  fiber.previous_ = ready_last_;
  (ready_last_ != nullptr ? ready_last_->next_ : ready_first_) = &fiber;
  ready_last_ = &fiber;
}

void scheduler::unlink_ready(fiber_block& fiber) noexcept {
  (fiber.previous_ != nullptr ? fiber.previous_->next_ : ready_first_) = fiber.next_;
  (fiber.next_ != nullptr ? fiber.next_->previous_ : ready_last_) = fiber.previous_;
  fiber.queued_ = false;
}

fiber_block* scheduler::next_ready() noexcept {
  if (ready_first_ == nullptr || turns_left_ <= 0) return nullptr;
  --turns_left_;
  fiber_block* const fiber = ready_first_;
  unlink_ready(*fiber);
  return fiber;
}

void scheduler::push_front(fiber_block& fiber) noexcept {
  fiber.queued_ = true;
  fiber.previous_ = nullptr;
  fiber.next_ = ready_first_;
  (ready_first_ != nullptr ? ready_first_->previous_ : ready_last_) = &fiber;
  ready_first_ = &fiber;
}

void scheduler::hurry(fiber_block& fiber) noexcept {
  if (fiber.started_ || !fiber.queued_) return;
  unlink_ready(fiber);
  push_front(fiber);
}

// Fibers.

void scheduler::add(fiber_block& fiber) {
  if (alive_count_ >= options_.max_fibers) {
    throw error(errc::resource_exhausted, "go: " + std::to_string(alive_count_) +
                                              " fibers are alive, which is run_options::max_fibers; "
                                              "wait for some to end or raise the limit");
  }
  fiber.home_ = this;
  fiber.next_alive_ = alive_;
  if (alive_ != nullptr) alive_->previous_alive_ = &fiber;
  alive_ = &fiber;
  ++alive_count_;
  alive_peak_ = std::max(alive_peak_, alive_count_);
  if (ending_) fiber.cancel(cancel_reason::shutdown);
  push_ready(fiber);
}

void scheduler::add_and_run(fiber_block& fiber) {
  add(fiber);
  push_front(*running_);
  hurry(fiber);
  suspend();
}

void scheduler::remove(fiber_block& fiber) noexcept {
  (fiber.previous_alive_ != nullptr ? fiber.previous_alive_->next_alive_ : alive_) = fiber.next_alive_;
  if (fiber.next_alive_ != nullptr) fiber.next_alive_->previous_alive_ = fiber.previous_alive_;
  // With the last reference its result ends here, whose destructor may wait: the fiber still has its
  // stack, and the loop still counts it.
  fiber.release();
  --alive_count_;
}

bool scheduler::bind_stack(fiber_block& fiber) noexcept {
  fiber.stack_ = stacks_.acquire();
  if (fiber.stack_ != nullptr) {
    prepare_stack(*fiber.stack_, &scheduler::run_stack, this);
    return true;
  }
  const int why = errno;
  fiber.fail_unstarted(std::make_exception_ptr(
      error(errc::resource_exhausted, std::string(system_error("go: get a stack for a fiber", why).what()))));
  running_task = &fiber;  // it ends as itself: its context, its uncaught handler
  fiber.no_wait = "the end of a fiber that got no stack";
  fiber.finish();
  running_task = nullptr;
  remove(fiber);
  return false;
}

/// Runs fibers that have not started one after the other on one stack, as long as none of them
/// leaves it by waiting and the next in line has not started either.
void scheduler::run_stack(void* self) noexcept {
  auto& here = *static_cast<scheduler*>(self);
  sanitizer::arrived(*here.running_->stack_);
  for (;;) {
    fiber_block* const fiber = here.running_;
    stack_record* const stack = fiber->stack_;
    here.execute(*fiber);
    fiber_block* const next = here.next_ready();
    if (next != nullptr && !next->started_) {
      next->stack_ = stack;
      here.running_ = next;
      running_task = next;
      continue;
    }
    here.stacks_.release(*stack);
    here.switch_to(*stack, next, true);
  }
}

void scheduler::execute(fiber_block& fiber) noexcept {
  fiber.started_ = true;
  ++started_;
  if (const auto reason = fiber.requested()) {
    fiber.fail_unstarted(std::make_exception_ptr(cancelled(*reason, "start")));
  } else {
    fiber.run_body();
  }
  if (task_extras* const extras = std::exchange(fiber.extras, nullptr)) extras->end();
  fiber.finish();
  remove(fiber);
}

// Switching.

void scheduler::switch_to(stack_record& from, fiber_block* next, bool for_good) noexcept {
  while (next != nullptr && next->stack_ == nullptr && !bind_stack(*next)) next = next_ready();
  running_ = next;
  running_task = next;
  stack_record& to = next != nullptr ? *next->stack_ : loop_stack_;
  if (&to != &from) switch_stack(from, to, live_exceptions_, for_good);
}

void scheduler::suspend() noexcept {
  const int kept_errno = errno;  // it belongs to the thread; the fiber's value must survive
  switch_to(*running_->stack_, next_ready(), false);
  while (inspection_ != nullptr) inspection_->answer();  // asked for its stack: this is not its turn
  errno = kept_errno;
}

void scheduler::yield_turn() noexcept {
  push_ready(*running_);
  suspend();
}

// Waking.

void scheduler::wake(fiber_block& fiber) noexcept {
  if (is_home()) {
    push_ready(fiber);
    return;
  }
  fiber_block* top = remote_wakes_.load(std::memory_order_relaxed);
  do {
    fiber.next_ = top;
  } while (!remote_wakes_.compare_exchange_weak(top, &fiber, std::memory_order_seq_cst));
  // The fiber may run from here on, but it cannot end the run under our feet: it leaves its wait only
  // after it has held the lock under which we were called; see task_block.
  if (sleeping_.exchange(false, std::memory_order_seq_cst)) poller_.ring();
}

void scheduler::take_remote_wakes() noexcept {
  fiber_block* newest = remote_wakes_.exchange(nullptr, std::memory_order_acquire);
  fiber_block* oldest_first = nullptr;
  while (newest != nullptr) {
    fiber_block* const next = newest->next_;
    newest->next_ = oldest_first;
    oldest_first = newest;
    newest = next;
  }
  while (oldest_first != nullptr) {
    fiber_block* const next = oldest_first->next_;
    push_ready(*oldest_first);
    oldest_first = next;
  }
}

// Timers: whole milliseconds since the run began, rounded up, so that none is early.

std::uint64_t scheduler::tick_of(steady_time time) const noexcept {
  if (time <= epoch_) return 0;
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(time - epoch_).count());
}

void scheduler::arm(loop_timer& timer, steady_time due) noexcept { timers_.arm(timer, tick_of(due)); }
void scheduler::disarm(loop_timer& timer) noexcept { timers_.cancel(timer); }

void scheduler::fire_timers() noexcept {
  if (timers_.empty()) return;
  const auto passed = std::chrono::floor<std::chrono::milliseconds>(steady_clock::now() - epoch_);
  timers_.advance(static_cast<std::uint64_t>(passed.count()), [](timer_node& node) {
    auto& timer = static_cast<loop_timer&>(node);
    timer.fire(timer);
  });
}

// The loop.

void scheduler::run_ready() noexcept {
  turns_left_ = turns_between_polls;
  if (fiber_block* const next = next_ready()) switch_to(loop_stack_, next, false);
}

void scheduler::poll() noexcept {
  int timeout_ms = 0;
  if (ready_first_ == nullptr) {
    timeout_ms = -1;
    if (const auto next = timers_.next_tick()) {
      const auto left = epoch_ + std::chrono::milliseconds(*next) - steady_clock::now();
      const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
      timeout_ms = static_cast<int>(std::clamp<long long>(ms, 0, INT_MAX));
    }
    sleeping_.store(true, std::memory_order_seq_cst);
    if (remote_wakes_.load(std::memory_order_seq_cst) != nullptr) timeout_ms = 0;
  }
  poller_.poll(timeout_ms);
  sleeping_.store(false, std::memory_order_relaxed);
}

void scheduler::loop() {
  while (alive_count_ > 0) {
    take_remote_wakes();
    fire_timers();
    run_ready();
    if (alive_count_ > 0) poll();
  }
}

void scheduler::end_run(std::exception_ptr why) noexcept {
  if (ending_) return;
  ending_ = true;
  end_reason_ = std::move(why);
  for (fiber_block* fiber = alive_; fiber != nullptr; fiber = fiber->next_alive_) {
    fiber->cancel(cancel_reason::shutdown);
  }
}

run_statistics scheduler::statistics() const noexcept {
  return {.fibers = alive_count_,
          .fibers_peak = alive_peak_,
          .fibers_started = started_,
          .stacks = stacks_.made(),
          .timers = static_cast<std::size_t>(timers_.size())};
}

// Memory of fiber blocks.

void* scheduler::allocate(std::size_t bytes) {
  const std::size_t size_class = (bytes - 1) / 64;
  if (size_class >= cell_classes) return ::operator new(bytes);
  if (free_cell* const cell = free_cells_[size_class]) {
    free_cells_[size_class] = cell->next;
    --free_count_[size_class];
    return cell;
  }
  return ::operator new((size_class + 1) * 64);
}

bool scheduler::deallocate(void* memory, std::size_t bytes) noexcept {
  const std::size_t size_class = (bytes - 1) / 64;
  if (size_class >= cell_classes || free_count_[size_class] >= cells_kept_max) return false;
  ++free_count_[size_class];
  free_cells_[size_class] = ::new (memory) free_cell{free_cells_[size_class]};
  return true;
}

}  // namespace weft::detail
