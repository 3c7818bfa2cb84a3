#include "fiber/runtime.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/outside_work.hpp>
#include <weft/log/log.hpp>

#include "fiber/foreign_threads.hpp"
#include "fiber/simulation.hpp"
#include "fiber/survey.hpp"

namespace weft::detail {
namespace {

constexpr std::size_t loops_max = 256;
constexpr std::size_t stolen_max = 256;  // at a time
constexpr auto spin_max = std::chrono::microseconds(20);
constexpr auto look_again_soon = std::chrono::milliseconds(1);

run_options checked(run_options options) {
  if (options.threads == 0) options.threads = std::max(1U, std::thread::hardware_concurrency());
  if (options.threads > loops_max) {
    throw error(errc::invalid_argument, "run: threads = " + std::to_string(options.threads) + "; at most " +
                                            std::to_string(loops_max) + " are possible");
  }
  if (options.stack_bytes > stack_pools::bytes_max) {
    throw error(errc::invalid_argument, "run: stack_bytes = " + std::to_string(options.stack_bytes) +
                                            "; at most " + std::to_string(stack_pools::bytes_max));
  }
  return options;
}

void relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

// Life.

runtime::grace_timer::grace_timer(runtime& of) noexcept
    : loop_timer([](loop_timer& self) noexcept {
        static_cast<grace_timer&>(self).run.give_up_on_stuck_fibers(
            "did not end within run_options::shutdown_grace");
      }),
      run(of) {}

runtime::runtime(run_options options)
    : options_(checked(std::move(options))),
      loops_(options_.threads),
      in_step_(static_cast<std::ptrdiff_t>(options_.threads)) {
  first_ = std::make_unique<scheduler>(*this, 0);
  loops_.front() = first_.get();
  for (std::size_t index = 1; index < loops_.size(); ++index) {
    try {
      threads_.emplace_back("weft-loop-" + std::to_string(index), thread_signals::inherited,
                            [this, index] { serve_loop(index); });
    } catch (...) {
      start_error_ = std::current_exception();
      for (; index < loops_.size(); ++index) in_step_.arrive_and_drop();
    }
  }
  in_step_.arrive_and_wait();
  if (start_error_ == nullptr) return;
  for (started_thread& one : threads_) one.join();
  std::rethrow_exception(start_error_);
}

runtime::~runtime() {
  if (!ran_) {
    over_.store(true, std::memory_order_release);
    run_loops();
  }
  for (started_thread& one : threads_) one.join();
}

void runtime::serve_loop(std::size_t index) noexcept {
  const loop_thread counted;
  std::unique_ptr<scheduler> loop;
  try {
    loop = std::make_unique<scheduler>(*this, index);
    loops_[index] = loop.get();
  } catch (...) {
    const std::lock_guard lock(idle_lock_);
    start_error_ = std::current_exception();
  }
  in_step_.arrive_and_wait();
  if (start_error_ != nullptr) return;
  in_step_.arrive_and_wait();
  loop->loop();
  in_step_.arrive_and_wait();  // others may look at this loop until they have left theirs
}

void runtime::run_loops() {
  ran_ = true;
  in_step_.arrive_and_wait();
  monitor_.begin();
  first_->loop();
  monitor_.end();
  in_step_.arrive_and_wait();
}

// Fibers.

void runtime::settle(std::ptrdiff_t delta) noexcept { alive_.fetch_add(delta, std::memory_order_seq_cst); }

void runtime::count_one_more(std::ptrdiff_t unsettled) {
  const auto now = static_cast<std::size_t>(std::max<std::ptrdiff_t>(alive() + unsettled, 0));
  if (now >= options_.max_fibers) {
    throw error(errc::resource_exhausted, "go: " + std::to_string(now) +
                                              " fibers are alive, which is run_options::max_fibers; "
                                              "wait for some to end or raise the limit");
  }
  if (now + 1 > alive_peak_.load(std::memory_order_relaxed)) {
    alive_peak_.store(now + 1, std::memory_order_relaxed);
  }
}

// Idle loops.

void runtime::rouse(scheduler& loop) noexcept {
  if (!loop.sleeps()) return;
  {
    const std::lock_guard lock(idle_lock_);
    if (!loop.sleeps()) return;
    wake_up(loop);
  }
  loop.ring();
}

void runtime::wake_up(scheduler& loop) noexcept {
  loop.set_sleeping(false);
  idle_.fetch_sub(1, std::memory_order_acq_rel);
}

void runtime::get_up(scheduler& loop) noexcept {
  const std::lock_guard lock(idle_lock_);
  if (loop.sleeps()) wake_up(loop);
}

runtime::rest runtime::lie_down(scheduler& loop) {
  std::unique_lock lock(idle_lock_);
  if (over()) return {};
  loop.set_sleeping(true);
  idle_.fetch_add(1, std::memory_order_acq_rel);
  if (loop.has_remote_wakes() || loop.has_ready()) {
    wake_up(loop);
    return {};
  }
  if (idle_.load(std::memory_order_relaxed) == loops_.size()) return decide_all_idle(lock, loop);
  if (others_have_work(loop)) return {true, steady_clock::now() + look_again_soon};
  return {true};
}

/// May a thread that weft knows of wake a fiber, or has it just done so?
bool runtime::outside_may_wake() const noexcept {
  if (outside_work::count() > 0) return true;
  // After that look: who wakes a fiber does so before he ends his outside_work.
  return std::any_of(loops_.begin(), loops_.end(),
                     [](const scheduler* loop) { return loop->has_remote_wakes(); });
}

/// The idle lock is held; all loops sleep, the last one is about to.
runtime::rest runtime::decide_all_idle(std::unique_lock<spin_lock>& idle_lock, scheduler& last) {
  if (alive_.load(std::memory_order_seq_cst) == 0) {
    if (holds_.load(std::memory_order_relaxed) > 0 && !ending()) return {true};
    over_.store(true, std::memory_order_release);
    wake_up(last);
    idle_lock.unlock();
    for (scheduler* const loop : loops_) {
      if (loop != &last) rouse(*loop);
    }
    return {};
  }
  const auto wakes_itself = [](const scheduler* loop) { return loop->wakes_itself(); };
  if (!options_.deadlock_check || std::any_of(loops_.begin(), loops_.end(), wakes_itself)) return {true};
  const bool all_is_inside = last.is_simulated();
  if (!all_is_inside && outside_may_wake()) return look_again_later();
  const bool stuck = ending();
  if (!stuck && !all_is_inside && foreign_threads(loops_.size()) > 0) {
    const rest again = look_again_later();
    const bool warn = look_again_ > look_again_min * 2 && !std::exchange(warned_, true);
    if (!warn) return again;
    wake_up(last);
    idle_lock.unlock();
    warn_of_deadlock();
    return {};
  }
  wake_up(last);
  idle_lock.unlock();
  if (stuck) give_up_on_stuck_fibers("wait for what can never happen, and cannot be cancelled there");
  resolve_deadlock();
  return {};
}

/// Somebody outside may wake a fiber, or may have gone without doing so. Less and less often while no
/// fiber runs.
runtime::rest runtime::look_again_later() noexcept {
  std::uint64_t switches = 0;
  for (const scheduler* const loop : loops_) switches += loop->switches();
  if (std::exchange(quiet_since_switches_, switches) != switches) {
    look_again_ = look_again_min;
    warned_ = false;
  }
  const auto until = steady_clock::now() + look_again_;
  look_again_ = std::min(2 * look_again_, look_again_max);
  return {true, until};
}

// Sharing work.

void runtime::offer() noexcept {
  if (loops_.size() == 1) return;
  // Read-modify-writes, though they change nothing: who raises idle_ or clears searching_ after us
  // sees the fiber in line.
  if (idle_.fetch_add(0, std::memory_order_acq_rel) == 0) return;
  if (searching_.exchange(true, std::memory_order_acq_rel)) return;
  for (scheduler* const loop : loops_) {
    {
      const std::lock_guard lock(idle_lock_);
      if (!loop->sleeps()) continue;
      wake_up(*loop);
      loop->searches = true;
    }
    loop->ring();
    return;
  }
  searching_.exchange(false, std::memory_order_acq_rel);
}

bool runtime::others_have_work(const scheduler& loop) const noexcept {
  return std::any_of(loops_.begin(), loops_.end(),
                     [&](scheduler* other) { return other != &loop && other->unstarted().size() > 0; });
}

bool runtime::steal_for(scheduler& thief, bool lonely_too) noexcept {
  for (std::size_t step = 1; step < loops_.size(); ++step) {
    scheduler& victim = *loops_[(thief.index() + step) % loops_.size()];
    const std::size_t there = victim.unstarted().size();
    if (there == 0) continue;
    if (there == 1 && !(lonely_too && victim.switches() == thief.seen_switches()[victim.index()])) continue;
    fiber_line stolen;
    if (victim.unstarted().steal(stolen, std::min((there + 1) / 2, stolen_max), &thief) == 0) continue;
    thief.adopt(stolen);
    return true;
  }
  return false;
}

bool runtime::find_work(scheduler& loop) noexcept {
  if (loops_.size() == 1) return false;
  bool found = steal_for(loop, false);
  if (!found && idle_.load(std::memory_order_relaxed) + 1 < loops_.size()) {
    for (scheduler* const other : loops_) loop.seen_switches()[other->index()] = other->switches();
    const steady_time until = steady_clock::now() + spin_max;
    do {
      for (int i = 0; i < 32; ++i) relax();
      found = loop.has_remote_wakes() || over() || steal_for(loop, false);
    } while (!found && steady_clock::now() < until);
    found = found || steal_for(loop, true);
  }
  if (std::exchange(loop.searches, false)) {
    searching_.exchange(false, std::memory_order_acq_rel);
    found = found || steal_for(loop, false);
    if (found && others_have_work(loop)) offer();
  }
  return found;
}

void runtime::pass_search_on(scheduler& loop) noexcept {
  if (!std::exchange(loop.searches, false)) return;
  searching_.exchange(false, std::memory_order_acq_rel);
  if (others_have_work(loop)) offer();
}

// The end.

void runtime::end(std::exception_ptr why, cancel_reason reason) noexcept {
  {
    const std::lock_guard lock(end_lock_);
    if (ending()) return;
    end_reason_ = std::move(why);
    ending_.store(true, std::memory_order_seq_cst);
  }
  scheduler& here = *scheduler::current();
  here.arm_apart(grace_, deadline_after(options_.shutdown_grace));
  for (scheduler* const loop : loops_) {
    loop->for_each_alive([&](fiber_block& fiber) { fiber.cancel(reason); });
  }
}

// For those who watch.

std::vector<fiber_info> runtime::list() const {
  std::vector<fiber_info> all;
  for (scheduler* const loop : loops_) {
    loop->for_each_alive([&](const fiber_block& fiber) { all.push_back(loop->describe(fiber)); });
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return all;
}

run_statistics runtime::statistics() const noexcept {
  run_statistics sum;
  sum.loops = loops_.size();
  sum.fibers = static_cast<std::size_t>(alive());
  sum.fibers_peak = alive_peak_.load(std::memory_order_relaxed);
  for (const scheduler* const loop : loops_) loop->add_to(sum);
  return sum;
}

// Deadlock.

void runtime::warn_of_deadlock() {
  log::warn("all fibers wait, and only a thread that weft does not know of could wake them",
            {{"fibers", alive()}, {"waits", survey::of(*this, {})}});
}

void runtime::resolve_deadlock() {
  const std::string report = survey::of(*this, {});
  log::critical("all fibers wait, and nothing can wake them: a deadlock; they are cancelled",
                {{"fibers", alive()}, {"waits", report}});
  end(std::make_exception_ptr(deadlock_error(report)), cancel_reason::deadlock);
}

void runtime::give_up_on_stuck_fibers(const char* why) noexcept {
  if (const auto* const world = simulation_world::current()) {
    std::fprintf(stderr, "weft: simulate: %s\n", world->how_to_replay().c_str());
  }
  std::fprintf(stderr, "weft: run is ending, and these fibers %s; the process ends:\n%s", why,
               survey::of(*this, {}).c_str());
  std::abort();
}

}  // namespace weft::detail
