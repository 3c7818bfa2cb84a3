#include "fiber/monitor.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/oracle.hpp>
#include <weft/core/symbolizer.hpp>
#include <weft/log/log.hpp>

#include "fiber/quit_bells.hpp"
#include "fiber/runtime.hpp"
#include "fiber/stack_sampler.hpp"
#include "fiber/survey.hpp"

namespace weft::inline v1::detail {
namespace {

constexpr auto look_every = std::chrono::milliseconds(5);
constexpr auto long_turn_min = std::chrono::milliseconds(10);
constexpr int forever_ms = -1;

void log_long_turn(const long_turn& turn) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(turn.lasted).count();
  log::warn("a fiber holds its thread; the others of that thread cannot run", {{"fiber", turn.fiber_id},
                                                                               {"name", turn.name},
                                                                               {"ms", ms},
                                                                               {"loop", turn.loop},
                                                                               {"calls", turn.calls}});
}

}  // namespace

monitor::monitor(runtime& of) : run_(of), watchdog_(of.options().watchdog) {}

void monitor::begin() noexcept {
  if (oracle::current() != nullptr) return;  // in a simulation time passes only where nothing runs
  if (watchdog_.count() == 0 && !run_.options().dump_on_sigquit) return;
  try {
    start();
  } catch (const error& why) {
    log::warn("run: the watchdog is not there", {{"why", std::string_view(why.what())}});
  }
}

void monitor::end() {
  if (!thread_.joinable()) return;
  quit_bells::remove(bell_.get());
  stopping_.store(true, std::memory_order_seq_cst);
  ring();
  thread_.join();
}

void monitor::start() {
  const std::lock_guard lock(start_lock_);
  if (thread_.joinable()) return;
  bell_ = unique_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!bell_) throw system_error("run: make the bell of the watchdog", errno);
  turns_.resize(run_.loops().size());
  thread_ = started_thread("weft-monitor", thread_signals::blocked, [this] { work(); });
  if (run_.options().dump_on_sigquit) quit_bells::add(bell_.get());
}

bool monitor::watch_turns() noexcept {
  if (marks_turns_.load(std::memory_order_relaxed) || oracle::current() != nullptr) return false;
  try {
    start();
  } catch (const error&) {
    return false;
  }
  const bool first = !marks_turns_.exchange(true, std::memory_order_relaxed);
  ring();
  return first;
}

void monitor::ring() noexcept {
  idle_.store(false, std::memory_order_seq_cst);
  [[maybe_unused]] const int put = eventfd_write(bell_.get(), 1);
}

/// How long to sleep before the next look.
int monitor::pause_ms() noexcept {
  const bool marks = marks_turns_.load(std::memory_order_relaxed);
  if (!marks && watchdog_.count() == 0) return forever_ms;
  idle_.store(true, std::memory_order_seq_cst);
  const auto& loops = run_.loops();
  if (std::all_of(loops.begin(), loops.end(), [](const scheduler* loop) { return loop->sleeps(); })) {
    return forever_ms;
  }
  idle_.store(false, std::memory_order_seq_cst);
  const auto for_watchdog = std::max(watchdog_ / 4, std::chrono::milliseconds(1));
  const auto pause = marks && watchdog_.count() > 0 ? std::min(look_every, for_watchdog)
                                                    : (marks ? look_every : for_watchdog);
  return static_cast<int>(pause.count());
}

void monitor::work() noexcept {
  while (!stopping_.load(std::memory_order_seq_cst)) {
    pollfd bell{.fd = bell_.get(), .events = POLLIN, .revents = 0};
    if (poll(&bell, 1, pause_ms()) > 0) {
      eventfd_t count = 0;
      eventfd_read(bell_.get(), &count);
    }
    if (quit_bells::take(bell_.get())) dump_soon();
    const steady_time now = steady_clock::now();
    for (std::size_t i = 0; i < turns_.size(); ++i) look_at(*run_.loops()[i], turns_[i], now);
  }
}

void monitor::look_at(scheduler& loop, turn& last, steady_time now) {
  const std::uint64_t switches = loop.switches();
  if (switches != last.switches || loop.running() == nullptr) {
    last = {.switches = switches, .since = now, .reported = false};
    return;
  }
  const auto lasted = now - last.since;
  if (lasted >= long_turn_min && marks_turns_.load(std::memory_order_relaxed)) loop.mark_turn_due();
  if (watchdog_.count() > 0 && lasted >= watchdog_ && !std::exchange(last.reported, true)) {
    report(loop, switches, lasted);
  }
}

void monitor::report(scheduler& loop, std::uint64_t switches, steady_clock::duration lasted) {
  const stack_trace trace = sample_stack(loop, switches);
  long_turn one_turn{.loop = loop.index(), .lasted = lasted};
  bool found = false;
  for (const scheduler* const registry : run_.loops()) {
    registry->for_each_alive([&](const fiber_block& one) {
      if (&one != loop.running() || loop.switches() != switches) return;
      found = true;
      one_turn.fiber_id = one.id();
      one_turn.name = one.name();
    });
  }
  if (!found) return;  // it has gone on meanwhile
  one_turn.calls = symbolizer().to_text(trace);
  const auto& handler = run_.options().on_long_turn;
  if (handler) {
    handler(one_turn);
  } else {
    log_long_turn(one_turn);
  }
}

/// By whichever loop comes first to it: a dump wants the thread of one.
void monitor::dump_soon() {
  const auto done = std::make_shared<std::atomic<bool>>(false);
  for (scheduler* const loop : run_.loops()) {
    loop->post([done, &run = run_] {
      if (!done->exchange(true)) std::fprintf(stderr, "weft: SIGQUIT: %s", survey::of(run, {}).c_str());
    });
  }
}

}  // namespace weft::inline v1::detail
