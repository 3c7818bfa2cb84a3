#include <weft/fiber/fiber_block.hpp>

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/holds_exception.hpp>
#include <weft/core/unwinding.hpp>

#include "fiber/contract.hpp"
#include "fiber/runtime.hpp"
#include "fiber/scheduler.hpp"
#include "fiber/uncaught.hpp"

namespace weft::inline v1::detail {

namespace {

// There may be millions of them, most of them waiting.
static_assert(sizeof(fiber_block) <= 328);

constexpr std::size_t stack_bytes_absurd = stack_pools::bytes_max + 1;

/// The timer of one bounded park; on the stack of the fiber.
struct park_timer : loop_timer {
  explicit park_timer(fiber_block& parked) noexcept
      : loop_timer([](loop_timer& self) noexcept { static_cast<park_timer&>(self).fiber.unpark(); }),
        fiber(parked) {}
  fiber_block& fiber;
};

std::unique_ptr<const char[]> copy_of(std::string_view text) {
  if (text.empty()) return nullptr;
  auto copy = std::make_unique<char[]>(text.size() + 1);  // ends with a zero
  text.copy(copy.get(), text.size());
  return copy;
}

}  // namespace

fiber_block::fiber_block(fiber_origin& origin)
    : task_block(next_task_id(), true),
      cancel_node(origin.context.release_node(), no_deadline),
      stack_bytes_(static_cast<std::uint32_t>(std::min(origin.stack_bytes, stack_bytes_absurd))),
      parent_id_(task_block::current().id()),
      made_at_(origin.made_at),
      name_(copy_of(origin.name)) {
  set_references(3);
  preemption_off = origin.preemptible ? 0 : 1;
  context = as_context().release_node();
}

bool fiber_block::park_until(steady_time until) {
  if (permit_.try_take()) return true;
  park_timer timer(*this);
  if (until != no_deadline) {
    if (until <= steady_clock::now()) return false;
    home().arm(timer, until);
  }
  bool in_time = true;
  if (permit_.park()) {
    home().suspend();
    in_time = until == no_deadline || timer.armed();
  }
  permit_.take();
  if (timer.armed()) home().disarm(timer);
  return in_time;
}

void fiber_block::unpark() noexcept {
  if (permit_.give()) home().wake(*this);
}

void fiber_block::require_other() const {
  if (this == &task_block::current()) throw error(errc::misuse, "join: a fiber cannot join itself");
}

bool fiber_block::wait_done(steady_time until) {
  if (end_.is_over()) return true;
  require_other();
  if (home().is_home()) home().hurry(*this);
  return end_.wait(until);
}

fiber_block::~fiber_block() { end_extras(); }

void fiber_block::end_extras() noexcept {
  if (extras != nullptr) extras->end();
}

void fiber_block::finish() noexcept {
  end_extras();
  if (locks_held != 0) note_ended_with_locks(*this);
  const std::exception_ptr error = body_error();
  if (error != nullptr) {
    if (!end_.is_observed()) keep(weft::context::current());  // it holds us until somebody looks
    if (holds_exception<exit_exception>(error)) home().of().end(error, cancel_reason::shutdown);
  }
  assign_current(nullptr);
  cancel_state::finish();
  lifetime_.store(home().now().time_since_epoch().count() - lifetime_.load(std::memory_order_relaxed),
                  std::memory_order_relaxed);
  if (end_.end([this](auto&& wake) { home().tell_end(parent_id_, wake); })) report_uncaught_error();
  end_extras();  // those of the uncaught handler
}

steady_clock::duration fiber_block::elapsed() const noexcept {
  const auto since = lifetime_.load(std::memory_order_relaxed);
  if (is_done()) return steady_clock::duration(since);
  const scheduler* const here = scheduler::current();
  const steady_time now = here != nullptr ? here->now() : steady_clock::now();
  return std::max(now.time_since_epoch() - steady_clock::duration(since), steady_clock::duration::zero());
}

void fiber_block::abandon() noexcept {
  if (end_.abandon()) report_uncaught_error();
}

void fiber_block::report_uncaught_error() noexcept {
  const std::exception_ptr error = body_error();
  if (error == nullptr) return;
  // Moved out: the context of a fiber holds the fiber.
  const weft::context::attachment in_its_context(take_kept());
  report_uncaught({.error = error, .fiber_id = id(), .name = name()});
}

void fiber_block::mark_observed() noexcept {
  end_.mark_observed();
  keep({});
}

namespace {

scheduler& scheduler_here(const char* what) {
  scheduler* const here = scheduler::current();
  if (here != nullptr && here->running() != nullptr) return *here;
  throw error(errc::no_scheduler,
              std::string(what) +
                  ": the caller is not on a fiber of weft::run; call it from one, or use a thread_pool");
}

}  // namespace

void fiber_block::require_sane() const {
  if (stack_bytes_ < stack_bytes_absurd) return;
  throw error(errc::invalid_argument, "go: stack_bytes is above " + std::to_string(stack_pools::bytes_max));
}

void fiber_block::discard() noexcept {
  mark_observed();
  cancel_state::finish();
  detail::release(std::exchange(context, nullptr));
  release();
}

namespace {

void spawn_in_line(fiber_block* fiber_ref, const char* what, bool here_only) {
  try {
    fiber_ref->require_sane();
    scheduler_here(what).add(*fiber_ref, here_only);
  } catch (...) {
    fiber_ref->discard();
    throw;
  }
}

}  // namespace

void spawn(fiber_block* fiber_ref) { spawn_in_line(fiber_ref, "go", false); }
void spawn_here(fiber_block* fiber_ref) { spawn_in_line(fiber_ref, "go_here", true); }

void spawn_now(fiber_block* fiber_ref) {
  try {
    require_wait_allowed("go_now");
    fiber_ref->require_sane();
    task_block* const self = running_task;  // the fiber, or a task that it carries
    scheduler_here("go_now").add_and_run(*fiber_ref);
    running_task = self;
  } catch (...) {
    fiber_ref->discard();
    throw;
  }
}

void* allocate_fiber(std::size_t bytes) {
  scheduler* const here = scheduler::current();
  return here != nullptr ? here->cells().allocate(bytes) : ::operator new(cell_pool::whole_cells(bytes));
}

void free_fiber(void* memory, std::size_t bytes) noexcept {
  if (scheduler* const here = scheduler::current()) {
    here->cells().deallocate(memory, bytes);
  } else {
    ::operator delete(memory);
  }
}

}  // namespace weft::inline v1::detail
