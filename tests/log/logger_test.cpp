#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/log/logger.hpp>

#include "log/memory_sink.hpp"

namespace weft::log {
namespace {

using namespace std::chrono_literals;
using testing::only_sink;
using strings = std::vector<std::string>;

strings messages(const collection& from) {
  strings found;
  for (const auto& each : from.records) found.push_back(each.message);
  return found;
}

std::vector<int> numbers(const collection& from) {
  std::vector<int> found;
  for (const auto& each : from.records) found.push_back(number_of(each));
  return found;
}

record said(record_time when, std::string_view message, std::int32_t number = 0) {
  record made;
  made.time = when;
  made.message = message;
  made.number = number;
  return made;
}

TEST(logger, is_the_log_of_the_collector_in_force) {
  only_sink sink;
  collector mine;
  logger().error("e");
  logger().warn("w", {{"detail", json_text{R"([1,"two"])"}}});
  logger().info("i");
  logger().debug("d");
  logger().add_log(25, "c");
  logger().data({{"user", "ada"}});
  const auto all = mine.take_all();
  EXPECT_EQ(messages(all), (strings{"e", "w", "i", "d", "c"}));
  EXPECT_EQ(numbers(all), (std::vector<int>{10, 20, 30, 40, 25}));
  EXPECT_EQ(all.records[1].fields.at(0), (field{"detail", json_text{R"([1,"two"])"}}));
  EXPECT_EQ(all.records[4].level, level::info);
  EXPECT_EQ(all.data.at(0).name, "user");
  EXPECT_TRUE(sink->take().empty());
}

TEST(logger, outside_of_any_collector_takes_everything_and_keeps_nothing) {
  only_sink sink;
  const logger nobody;
  EXPECT_FALSE(nobody);
  EXPECT_FALSE(nobody.enabled(10));
  nobody.error("nobody reads this");
  nobody.info([]() -> std::string { throw std::runtime_error("never made"); });
  const auto timed = nobody.timer("nothing");
  nobody.data({{"a", 1}});
  nobody.merge({});
  logger(nullptr).error("nor this");
  EXPECT_TRUE(sink->take().empty());
}

TEST(logger, verbosity_keeps_numbers_up_to_it) {
  collector some({.verbosity = 25});
  for (const int number : {10, 20, 25, 26, 30, 40, 5}) logger().add_log(number, "n");
  info("through the usual way");
  warn("too");
  EXPECT_EQ(numbers(some.take_all()), (std::vector<int>{10, 20, 25, 5, 20}));
  EXPECT_FALSE(enabled(level::info));
  EXPECT_TRUE(enabled(level::warn));
}

TEST(logger, makes_a_message_only_where_it_is_kept) {
  collector some({.verbosity = 30});
  int made = 0;
  const auto make = [&] { return "made " + std::to_string(++made); };
  logger().debug(make);
  logger().add_log(31, make);
  EXPECT_EQ(made, 0);
  logger().error(make);
  logger().warn(make);
  logger().info(make);
  logger().add_log(29, make);
  EXPECT_EQ(messages(some.take_all()), (strings{"made 1", "made 2", "made 3", "made 4"}));
}

TEST(logger, a_handle_writes_to_its_log_from_anywhere) {
  collector mine;
  const logger kept;
  std::thread([&] {
    kept.info("from a stranger");
    const auto timed = kept.timer("there");
    kept.data({{"there", true}});
  }).join();
  {
    collector inner;
    kept.info("from inside another");
    EXPECT_TRUE(inner.take().empty());
  }
  const auto all = mine.take_all();
  EXPECT_EQ(messages(all), (strings{"from a stranger", "from inside another"}));
  EXPECT_TRUE(all.timers.at(0).took.has_value());
  EXPECT_EQ(all.data.size(), 1U);
  EXPECT_EQ(logger(mine).enabled(40), true);
}

TEST(logger, a_timer_guard_fills_in_its_end_and_names_may_repeat) {
  collector mine;
  { const auto one = logger().timer("query"); }
  const auto other = logger().timer("query");
  const auto all = mine.take_all();
  ASSERT_EQ(all.timers.size(), 2U);
  EXPECT_TRUE(all.timers[0].took.has_value());
  EXPECT_FALSE(all.timers[1].took.has_value());
}

TEST(logger, a_timer_that_is_ended_says_what_its_log_has) {
  collector mine;
  timer measured("measured");
  const auto span = measured.end();
  EXPECT_FALSE(measured.end().has_value());
  const auto all = mine.take_all();
  ASSERT_TRUE(span.has_value() && all.timers.at(0).took.has_value());
  EXPECT_EQ(span->start, all.timers[0].start);
  EXPECT_EQ(span->end, all.timers[0].start + *all.timers[0].took);
}

TEST(logger, a_timer_of_no_log_has_measured_nothing) {
  timer nowhere("nowhere");
  EXPECT_FALSE(nowhere.end().has_value());
}

TEST(logger, merges_a_foreign_log) {
  collection foreign;
  foreign.records.push_back(said(record_time(1us), "early", 25));
  foreign.timers.push_back({"theirs", record_time(1us), 5us});
  foreign.data.push_back({"shared", std::string("theirs")});
  collector mine;
  const auto before = logger().timer("mine");
  data({{"shared", "mine"}, {"own", 1}});
  info("now");
  logger().merge(foreign);
  const auto all = mine.take_all();
  EXPECT_EQ(messages(all), (strings{"early", "now"}));
  EXPECT_EQ(number_of(all.records[0]), 25);
  EXPECT_EQ(all.timers.at(1).name, "theirs");
  EXPECT_EQ(all.data.at(0).value, field_value(std::string("theirs")));
}

struct deliveries {
  std::vector<collection> all;
  collector_options options() {
    return {.deliver = [this](collection one) { all.push_back(std::move(one)); }};
  }
};

TEST(collector, delivers_once_when_its_last_reference_goes) {
  deliveries got;
  std::optional<logger> kept;
  std::optional<context> carried;
  {
    collector mine(got.options());
    info("inside");
    kept.emplace();
    carried = context::capture();
  }
  EXPECT_TRUE(got.all.empty());
  kept->info("by the handle");
  kept.reset();
  EXPECT_TRUE(got.all.empty());
  carried->run([] { info("by what was started inside"); });
  carried.reset();
  ASSERT_EQ(got.all.size(), 1U);
  EXPECT_EQ(messages(got.all[0]), (strings{"inside", "by the handle", "by what was started inside"}));
}

TEST(collector, delivers_also_what_is_empty_and_survives_a_delivery_that_throws) {
  deliveries got;
  { const collector nothing(got.options()); }
  EXPECT_EQ(got.all.size(), 1U);
  const auto before = lost();
  {
    const collector bad({.deliver = [](const collection&) { throw std::runtime_error("no"); }});
  }
  EXPECT_EQ(lost(), before + 1);
}

TEST(collector, a_level_is_asked_for_only_while_it_collects) {
  only_sink sink;
  set_level(level::error);
  deliveries got;
  std::optional<logger> kept;
  {
    const collector fine(got.options());
    kept.emplace();
  }
  EXPECT_TRUE(kept->enabled(40));
  kept.reset();
  EXPECT_FALSE(enabled(level::debug));
}

collection log_between(std::chrono::microseconds start, std::chrono::microseconds end) {
  collection made;
  made.start = record_time(start);
  made.end = record_time(end);
  made.records.push_back(said(record_time(start + 1us), "m"));
  made.timers.push_back({"done", record_time(start), 1us});
  made.timers.push_back({"runs", record_time(start + 1us), std::nullopt});
  return made;
}

TEST(fit_into_call, leaves_what_is_inside) {
  auto log = log_between(1010us, 1050us);
  fit_into_call(log, record_time(1000us), record_time(1060us));
  EXPECT_EQ(log.start, record_time(1010us));
  EXPECT_EQ(log.records[0].time, record_time(1011us));
  EXPECT_EQ(log.timers[0].took, 1us);
}

TEST(fit_into_call, a_running_timer_ends_with_the_call) {
  auto log = log_between(1010us, 1050us);
  fit_into_call(log, record_time(1000us), record_time(1060us));
  EXPECT_EQ(log.timers[1].took, 49us);
}

TEST(fit_into_call, shifts_a_clock_that_is_behind_or_ahead) {
  auto behind = log_between(10us, 50us);
  fit_into_call(behind, record_time(1000us), record_time(1060us));
  EXPECT_EQ(behind.start, record_time(1000us));
  EXPECT_EQ(behind.records[0].time, record_time(1001us));
  EXPECT_EQ(behind.timers[1].took, 59us);
  auto ahead = log_between(5010us, 5050us);
  fit_into_call(ahead, record_time(1000us), record_time(1060us));
  EXPECT_EQ(ahead.end, record_time(1060us));
  EXPECT_EQ(ahead.records[0].time, record_time(1021us));
}

TEST(fit_into_call, one_that_took_longer_than_the_call_begins_with_it) {
  auto log = log_between(5000us, 9000us);
  fit_into_call(log, record_time(1000us), record_time(1060us));
  EXPECT_EQ(log.start, record_time(1000us));
}

TEST(fit_into_call, takes_any_times) {
  for (const auto far : {record_time::min(), record_time::max()}) {
    auto log = log_between(1us, 2us);
    log.start = far;
    log.records[0].time = far;
    log.timers[1].start = far;
    fit_into_call(log, record_time(1000us), record_time(1060us));
    EXPECT_GE(log.timers[1].took.value(), 0us);
  }
}

}  // namespace
}  // namespace weft::log
