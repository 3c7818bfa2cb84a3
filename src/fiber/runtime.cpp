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
#include "fiber/run_meters.hpp"
#include "fiber/simulation.hpp"
#include "fiber/survey.hpp"

namespace weft::inline v1::detail {
namespace {

constexpr std::size_t loops_max = 256;

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
    idle_.end_unrun();
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
    const std::lock_guard lock(end_lock_);
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
  {
    const run_meters::shown_run shown(*this);
    monitor_.begin();
    first_->loop();
    monitor_.end();
  }
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

loop_rest runtime::lie_down(scheduler& loop) {
  return search_.lie_down(loop, [&](auto& idle_lock) { return decide_all_idle(idle_lock, loop); });
}

/// May a thread that weft knows of wake a fiber, or has it just done so?
bool runtime::outside_may_wake() const noexcept {
  if (outside_work::count() > 0) return true;
  // After that look: who wakes a fiber does so before he ends his outside_work.
  return std::any_of(loops_.begin(), loops_.end(),
                     [](const scheduler* loop) { return loop->has_remote_wakes(); });
}

/// The idle lock is held; all loops sleep, the last one is about to.
loop_rest runtime::decide_all_idle(idle_loops<scheduler>::lock& idle_lock, scheduler& last) {
  if (alive_.load(std::memory_order_seq_cst) == 0) {
    if (holds_.load(std::memory_order_relaxed) > 0 && !ending()) return {true};
    idle_.end_run(idle_lock, last);
    return {};
  }
  const auto wakes_itself = [](const scheduler* loop) { return loop->wakes_itself(); };
  if (!options_.deadlock_check || std::any_of(loops_.begin(), loops_.end(), wakes_itself)) return {true};
  const bool all_is_inside = last.is_simulated();
  if (!all_is_inside && outside_may_wake()) return look_again_later();
  const bool stuck = ending();
  if (!stuck && !all_is_inside && foreign_threads(loops_.size()) > 0) {
    const loop_rest again = look_again_later();
    const bool warn = look_again_ > look_again_min * 2 && !std::exchange(warned_, true);
    if (!warn) return again;
    idle_.call_off(idle_lock, last);
    warn_of_deadlock();
    return {};
  }
  idle_.call_off(idle_lock, last);
  if (stuck) give_up_on_stuck_fibers("wait for what can never happen, and cannot be cancelled there");
  resolve_deadlock();
  return {};
}

/// Somebody outside may wake a fiber, or may have gone without doing so. Less and less often while no
/// fiber runs.
loop_rest runtime::look_again_later() noexcept {
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
  std::size_t running = 0;
  for (scheduler* const loop : loops_) {
    loop->add_to(sum);
    if (loop->running() != nullptr) ++running;
  }
  // The figures are not of one moment: none must come out below zero.
  const std::size_t in_turn = sum.fibers_ready + running;
  sum.fibers_parked = sum.fibers > in_turn ? sum.fibers - in_turn : 0;
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

}  // namespace weft::inline v1::detail
