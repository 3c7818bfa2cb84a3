#include <gtest/gtest.h>

#include <optional>
#include <string>

#include <weft/log/logger.hpp>

#include "workers/call_log.hpp"

namespace weft::workers::detail {
namespace {

using namespace std::chrono_literals;

// As a worker sends it, by a clock that is as far behind or ahead.
log::collection log_by_a_clock(std::chrono::microseconds ahead) {
  log::collection made;
  made.start = log::now() + ahead;
  made.end = made.start;
  made.timers.push_back({"runs", made.start, std::nullopt});
  return made;
}

TEST(call_log, what_the_worker_logged_lies_within_the_calls_own_timer) {
  for (const auto ahead : {-1h, 1h}) {
    log::collector around;
    const std::optional<log::logger> none;
    call_log call(none, "name");
    call.end(log_by_a_clock(ahead));
    const auto all = around.take_all();
    ASSERT_EQ(all.timers.size(), 2U);
    const auto& own = all.timers[0];
    const auto& runs = all.timers[1];
    EXPECT_EQ(own.name, "name");
    EXPECT_EQ(runs.start, ahead < 0h ? own.start : own.start + own.took.value());
    EXPECT_EQ(runs.start + runs.took.value(), own.start + own.took.value());
  }
}

}  // namespace
}  // namespace weft::workers::detail
