#include <weft/service/loop_watch.hpp>

#include <memory>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/loops.hpp>
#include <weft/fiber/wait_group.hpp>
#include <weft/log/log.hpp>

namespace weft::inline v1::ops {

namespace {

using namespace std::chrono_literals;

/// Returns when each loop has run a fiber.
void visit_all(const std::vector<executor>& loops) {
  // Shared: a loop that is stuck has its part of it for longer than a wait that is cancelled.
  const auto left = std::make_shared<wait_group>(loops.size());
  for (const executor& loop : loops) loop.post([left] { left->done(); });
  left->wait();
}

}  // namespace

loop_watch::loop_watch(const notifier& to, std::chrono::microseconds period) {
  if (!to || period == 0us) return;
  if (period < 10ms) {
    throw error(errc::invalid_argument, "service: a watchdog of " + std::to_string(period.count()) +
                                            " us (WATCHDOG_USEC) cannot be fed in time; allow 10 ms or more");
  }
  const auto rounds = [&to, pause = period / 3] {
    const std::vector<executor> loops = loop_executors();
    for (;;) {
      try {
        visit_all(loops);
        to.alive();
      } catch (const error& failed) {  // no room for one fiber more: the next round may have it
        log::error("service: no sign of life for the watchdog", {{"why", failed.what()}});
      }
      sleep_for(pause);
    }
  };
  rounds_ = go_here(rounds, {.name = "watchdog"});
}

loop_watch::~loop_watch() {
  if (!rounds_.joinable()) return;
  rounds_.cancel();
  shield([this] {
    try {
      rounds_.join();
    } catch (const cancelled&) {  // as it was asked to
    }
  });
}

}  // namespace weft::inline v1::ops
