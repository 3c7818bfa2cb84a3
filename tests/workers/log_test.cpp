#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <weft/closure/closure.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/log/logger.hpp>
#include <weft/logbook/defer.hpp>
#include <weft/workers/call_stream.hpp>

#include "workers/on_fiber.hpp"
#include "workers/test_program.hpp"

// What calls leave in the log of their caller.

namespace {

using namespace std::chrono_literals;
using weft::workers::client;
using weft_test::on_fiber;

std::vector<std::string> names(const std::vector<weft::log::timing>& from) {
  std::vector<std::string> found;
  for (const auto& one : from) found.push_back(one.name);
  return found;
}

using strings = std::vector<std::string>;

TEST(workers_log, each_call_has_a_timer_and_behind_it_those_of_the_worker) {
  client pool;
  on_fiber([&] {
    weft::log::collector log;
    auto held = pool.checkout();
    held.call<std::string>("log_all", "x");
    held.call<std::int64_t>("pid");
    held.call(weft::closure{[] { weft::log::info("in the closure"); }});
    const auto all = log.take_all();
    EXPECT_EQ(names(all.timers), (strings{"log_all", "worker timer", "running", "pid", "->()"}));
    for (const auto& one : all.timers) {
      EXPECT_TRUE(one.took.has_value()) << one.name;
      EXPECT_GE(one.start, all.start);
      EXPECT_LE(one.start + one.took.value(), all.end + 1us);  // each rounded by itself
    }
    EXPECT_GE(all.timers[1].start, all.timers[0].start);
    EXPECT_LE(all.timers[2].start + *all.timers[2].took, all.timers[3].start);
  });
}

TEST(workers_log, levels_of_their_own_and_structures_come_back) {
  client pool;
  on_fiber([&] {
    weft::log::collector log;
    weft::log::data({{"shared", "caller"}, {"own", 1}});
    pool.call<std::string>("log_all", "x");
    const auto all = log.take_all();
    ASSERT_EQ(all.records.size(), 1U);
    EXPECT_EQ(weft::log::number_of(all.records[0]), 25);
    EXPECT_EQ(all.records[0].fields.at(0).value,
              weft::log::field_value(weft::log::json_text{R"([1,"two"])"}));
    ASSERT_EQ(all.data.size(), 3U);
    EXPECT_EQ(all.data[0].value, weft::log::field_value(std::string("worker")));
    EXPECT_NE(weft::logbook::to_line(all).find(R"(25,"custom",{"detail":[1,"two"]})"), std::string::npos);
  });
}

TEST(workers_log, a_call_that_fails_has_both_too) {
  client pool;
  on_fiber([&] {
    weft::log::collector log;
    EXPECT_THROW(pool.call("log_and_fail"), std::exception);
    EXPECT_THROW(pool.call("no_such"), std::exception);
    const auto all = log.take_all();
    EXPECT_EQ(names(all.timers), (strings{"log_and_fail", "no_such"}));
    EXPECT_TRUE(all.timers[1].took.has_value());
    ASSERT_EQ(all.records.size(), 1U);
    EXPECT_EQ(all.records[0].message, "about to fail");
  });
}

TEST(workers_log, a_checkout_may_have_a_log_of_its_own) {
  client pool;
  on_fiber([&] {
    weft::log::collector outer;
    const weft::log::logger kept(outer);
    weft::log::collector inner;
    pool.checkout({.log = kept}).call<std::string>("log_all", "x");
    EXPECT_TRUE(inner.take_all().timers.empty());
    const auto all = outer.take_all();
    EXPECT_EQ(names(all.timers), (strings{"log_all", "worker timer", "running"}));
    EXPECT_EQ(all.records.size(), 1U);
  });
}

// Cancels a call that waits, once it has logged something.
void cancel_waiting(client& pool, const weft::log::logger& into, bool is_started) {
  weft::event logged;
  auto held = pool.checkout({.log = into, .on_progress = [&](const auto&) { logged.set(); }});
  held.call("nothing");
  const weft::closure waits{[](weft::workers::caller& client) {
    weft::log::info("before the wait");
    client.say_progress(0, "waits");
    weft::sleep_for(std::chrono::hours(1));
  }};
  auto calling = weft::go([&] {
    if (!is_started) held.call(waits);
    if (is_started) held.start(waits).get();
  });
  logged.wait();
  calling.cancel();
  EXPECT_THROW(calling.join(), weft::cancelled);
}

TEST(workers_log, what_a_cancelled_call_has_logged_goes_there_too) {
  client pool({.stop_grace = 20s});  // one that does not stop within its time is killed, and has no log then
  on_fiber([&] {
    for (const bool is_started : {false, true}) {
      weft::log::collector outer;
      const weft::log::logger kept(outer);
      weft::log::collector inner;
      cancel_waiting(pool, kept, is_started);
      EXPECT_TRUE(inner.take_all().records.empty());
      const auto all = outer.take_all();
      ASSERT_EQ(all.records.size(), 1U);
      EXPECT_EQ(all.records[0].message, "before the wait");
      EXPECT_EQ(names(all.timers), (strings{"nothing", "->()"}));
      EXPECT_TRUE(all.timers[1].took.has_value());
    }
  });
}

TEST(workers_log, a_checkout_may_have_none) {
  client pool;
  on_fiber([&] {
    weft::log::collector log;
    pool.checkout({.log = weft::log::logger(nullptr)}).call<std::string>("log_all", "x");
    const auto all = log.take_all();
    EXPECT_TRUE(all.timers.empty() && all.records.empty() && all.data.empty());
  });
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
