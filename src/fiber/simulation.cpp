#include "fiber/simulation.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/context/node.hpp>
#include <weft/core/failure.hpp>
#include <weft/core/safepoint.hpp>
#include <weft/core/task_block.hpp>
#include <weft/fiber/fiber.hpp>

#include "fiber/runtime.hpp"
#include "fiber/scheduler.hpp"
#include "fiber/survey.hpp"

namespace weft::inline v1::detail {
namespace {

constinit thread_local simulation_world* current_world = nullptr;

// How often an operation that need not wait gives way all the same, of 256; a seed has one of these. Rarely
// finds what takes long runs without a switch, often what takes many switches.
constexpr std::array<std::uint64_t, 4> ways_to_give_way = {0, 16, 64, 160};

/// A fiber in the place of a thread: in no context, and not cancelled with who started it.
class thread_fiber final : public simulated_thread {
 public:
  thread_fiber(std::string name, unique_function<void()> work)
      : fiber_(go(std::move(work), {.name = std::move(name), .context = weft::context()})) {}
  void join() override {
    shield([this] { fiber_.join(); });
  }

 private:
  fiber<void> fiber_;
};

}  // namespace

std::uint64_t seeded_numbers::next() noexcept {
  std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15U;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
  return mixed ^ (mixed >> 31U);
}

std::uint64_t seeded_numbers::below(std::uint64_t limit) noexcept { return next() % limit; }

simulation_world::simulation_world(std::uint64_t seed, const simulation_options& options)
    : seed_(seed),
      options_(options),
      choices_(seed),
      values_(~seed),
      gives_way_(ways_to_give_way[choices_.below(ways_to_give_way.size())]),
      former_world_(std::exchange(current_world, this)),
      former_(exchange_current(this)) {}

simulation_world::~simulation_world() {
  instances_.clear();
  exchange_current(former_);
  current_world = former_world_;
}

[[gnu::noinline]] simulation_world* simulation_world::current() noexcept { return current_world; }

// Time.

wall_clock::time_point simulation_world::wall_now() noexcept {
  constexpr std::chrono::sys_days first_day = std::chrono::year(2030) / 1 / 1;
  return first_day + std::chrono::duration_cast<wall_clock::duration>(time_);
}

void simulation_world::advance_to(steady_time until) noexcept {
  time_ = std::max(time_, until.time_since_epoch() - begin);
  note('t', 0, "");
}

// Chance.

std::size_t simulation_world::choose(std::size_t count) noexcept {
  const std::size_t taken = count > 1 ? choices_.below(count) : 0;
  mix(count);
  mix(taken);
  return taken;
}

void simulation_world::scheduling_point(const char* what) {
  scheduler* const here = scheduler::current();
  fiber_block* const fiber = here != nullptr ? here->running() : nullptr;
  if (fiber == nullptr || fiber->no_wait != nullptr) return;
  task_block& task = task_block::current();  // the fiber, or a task that it carries
  if (task.no_wait != nullptr) return;
  note('p', fiber->id(), what);
  if (choices_.below(256) >= gives_way_) return;
  const unsigned off = std::exchange(safepoints_off, 0);
  here->yield_turn();
  safepoints_off = off;
  if (&task == fiber) return;
  running_task = &task;
  context_changes_to(task.context, context_change::switched);
}

void simulation_world::turn_of(const fiber_block& fiber) noexcept {
  const auto longest = static_cast<std::uint64_t>(options_.turn_time_max.count());
  time_ += steady_clock::duration(longest > 0 ? choices_.below(longest + 1) : 0);
  const char* const wait = fiber.waits_for.load(std::memory_order_relaxed);
  note('r', fiber.id(), wait != nullptr ? wait : "");
  if (++turns_ == options_.turns_max) {
    fail_with_fibers(errc::resource_exhausted, "it goes on for ever: it had " + std::to_string(turns_) +
                                                   " turns, which is simulation_options::turns_max");
  } else if (failure_.empty() && options_.stop.stop_requested()) {
    fail_with_fibers(errc::cancelled, "it was told to stop");
  } else if (turns_ > 2 * options_.turns_max + 10'000) {
    std::fprintf(stderr, "weft: simulate: it goes on although it was cancelled; %s\n",
                 how_to_replay().c_str());
    std::abort();
  }
}

void simulation_world::woken_from_outside() noexcept {
  if (!failure_.empty()) return;
  fail(errc::misuse,
       "a thread outside the simulation woke a fiber: make pools inside of it, and no threads of your own");
}

void simulation_world::fail(errc code, std::string why) noexcept {
  failure_code_ = code;
  failure_ = std::move(why);
  scheduler::current()->of().end(std::make_exception_ptr(error(code, failure_)), cancel_reason::shutdown);
}

/// The loop is between two turns, on its own stack, so that all fibers can be looked at.
void simulation_world::fail_with_fibers(errc code, const std::string& why) noexcept {
  fail(code, why + ":\n" + survey::of(scheduler::current()->of(), {}));
}

void simulation_world::note_uncaught(const uncaught_error& what) {
  if (uncaught_ != nullptr) return;
  uncaught_ = what.error;
  failure_ = "fiber " + std::to_string(what.fiber_id) +
             (what.name.empty() ? "" : " \"" + std::string(what.name) + '"') +
             " ended with an error that nobody joins: " + failure::from(what.error).chain();
}

// Threads.

std::unique_ptr<simulated_thread> simulation_world::start_thread(std::string name,
                                                                 unique_function<void()> work) {
  return std::make_unique<thread_fiber>(std::move(name), std::move(work));
}

// The record.

void simulation_world::mix(std::uint64_t number) noexcept { hash_ = seeded_numbers(hash_ ^ number).next(); }

void simulation_world::note(char kind, std::uint64_t number, const char* what) noexcept {
  mix(static_cast<std::uint64_t>(kind));
  mix(number);
  mix(static_cast<std::uint64_t>(time_.count()));
  for (const char letter : std::string_view(what)) mix(static_cast<unsigned char>(letter));
  if (!options_.trace) return;
  const char* const action = kind == 't' ? "time passes" : kind == 'r' ? "turn" : "at";
  std::fprintf(stderr, "%12.6f ms  fiber %-4llu %s %s\n",
               std::chrono::duration<double, std::milli>(time_).count(),
               static_cast<unsigned long long>(number), action, what);
}

simulation_report simulation_world::report() const noexcept {
  return {.seed = seed_, .trace_hash = hash_, .turns = turns_, .fibers = last_id_, .time = time_};
}

std::string simulation_world::how_to_replay() const {
  return "WEFT_SEED=" + std::to_string(seed_) + " in the environment replays it";
}

}  // namespace weft::inline v1::detail
