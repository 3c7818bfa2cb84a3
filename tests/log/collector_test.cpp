#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/log/collector.hpp>

#include "log/memory_sink.hpp"

namespace weft::log {
namespace {

using namespace std::chrono_literals;
using testing::only_sink;

std::vector<std::string> messages(const std::vector<record>& records) {
  std::vector<std::string> found;
  for (const auto& each : records) found.push_back(each.message);
  return found;
}

using strings = std::vector<std::string>;

TEST(collector, keeps_what_is_written_while_it_lives_and_nothing_else) {
  only_sink sink;
  info("before");
  {
    collector inside;
    info("inside");
    EXPECT_EQ(messages(inside.take()), strings{"inside"});
    EXPECT_TRUE(inside.take().empty());
  }
  info("after");
  EXPECT_EQ(sink->messages(), (strings{"before", "after"}));
}

TEST(collector, follows_the_context_to_other_threads_and_leaves_others_alone) {
  only_sink sink;
  collector mine;
  std::thread started(bind([] { info("started from here"); }));
  std::thread stranger([] { info("stranger"); });
  started.join();
  stranger.join();
  EXPECT_EQ(messages(mine.take()), strings{"started from here"});
  EXPECT_EQ(sink->messages(), strings{"stranger"});
}

TEST(collector, passes_on_only_where_asked) {
  only_sink sink;
  {
    collector outer({.pass_on = true});
    collector inner({.pass_on = true});
    info("everywhere");
    EXPECT_EQ(messages(inner.take()), strings{"everywhere"});
    EXPECT_EQ(messages(outer.take()), strings{"everywhere"});
  }
  {
    collector outer;
    collector inner;
    info("innermost");
    EXPECT_TRUE(outer.take().empty());
    EXPECT_EQ(messages(inner.take()), strings{"innermost"});
  }
  EXPECT_EQ(sink->messages(), strings{"everywhere"});
}

TEST(collector, what_outlives_it_writes_to_what_is_around_it) {
  only_sink sink;
  collector outer;
  const context kept = [] {
    collector inner;
    return context::capture();
  }();
  kept.run([] { info("late"); });
  EXPECT_EQ(messages(outer.take()), strings{"late"});
  EXPECT_TRUE(sink->take().empty());
}

TEST(collector, has_a_level_of_its_own_below_that_of_the_sinks) {
  only_sink sink;
  set_level(level::error);
  {
    collector fine;
    EXPECT_TRUE(enabled(level::debug));
    debug("detail");
    EXPECT_EQ(messages(fine.take()), strings{"detail"});
  }
  EXPECT_FALSE(enabled(level::debug));
  {
    collector coarse({.level = level::warn, .pass_on = true});
    info("too small");
    error("big enough");
    EXPECT_EQ(messages(coarse.take()), strings{"big enough"});
  }
  EXPECT_EQ(sink->messages(), strings{"big enough"});
}

TEST(collector, drops_and_counts_above_its_number_of_records) {
  collector small({.records_max = 2});
  for (int n = 0; n < 5; ++n) info("n");
  EXPECT_EQ(small.dropped(), 3U);
  EXPECT_EQ(small.take().size(), 2U);
  info("room again");
  const auto all = small.take_all();
  EXPECT_EQ(messages(all.records), strings{"room again"});
  EXPECT_EQ(all.dropped, 3U);
  EXPECT_EQ(small.dropped(), 0U);
}

TEST(collector, drops_and_counts_above_its_number_of_bytes) {
  collector small({.bytes_max = 1000});
  info(std::string(2000, 'x'));
  info("fits", {{"name", "value"}});
  info("does not", {{"name", std::string(2000, 'y')}});
  info("nor does this", {{"list", json_text{'"' + std::string(2000, 'z') + '"'}}});
  EXPECT_EQ(messages(small.take()), strings{"fits"});
  EXPECT_EQ(small.dropped(), 3U);
}

TEST(collector, puts_foreign_records_in_their_place_in_time) {
  collector mine;
  record early;
  early.time = record_time(1us);
  early.level = level::info;
  early.message = "early";
  info("now");
  emit(early);
  EXPECT_EQ(messages(mine.take()), (strings{"early", "now"}));
}

TEST(collector, keeps_timers_in_order_of_start_with_their_length) {
  collector mine;
  {
    timer outer("request");
    timer inner("open");
    std::this_thread::sleep_for(2ms);  // a length to be measured
  }
  timer running("hash");
  const auto all = mine.take_all();
  ASSERT_EQ(all.timers.size(), 3U);
  EXPECT_EQ(all.timers[0].name, "request");
  EXPECT_GE(all.timers[0].took.value(), 2ms);
  EXPECT_EQ(all.timers[1].name, "open");
  EXPECT_GE(all.timers[0].took, all.timers[1].took);
  EXPECT_EQ(all.timers[2].name, "hash");
  EXPECT_EQ(all.timers[2].took, std::nullopt);
  EXPECT_LE(all.start, all.timers[0].start);
  EXPECT_LE(all.timers[2].start, all.end);
}

TEST(collector, makes_the_names_of_timers_utf8) {
  collector collected;
  { timer odd("\xff"); }
  EXPECT_EQ(collected.take_all().timers.at(0).name, "\xEF\xBF\xBD");
}

TEST(collector, a_timer_outside_any_collector_does_nothing) {
  timer alone("nobody");
  collector mine;
  EXPECT_TRUE(mine.take_all().timers.empty());
}

TEST(collector, a_timer_may_end_after_its_collector) {
  auto mine = std::make_unique<collector>();
  auto late = std::make_unique<timer>("late");
  mine.reset();
  late.reset();
  SUCCEED();
}

TEST(collector, keeps_one_value_of_each_name_in_its_data) {
  collector mine;
  data({{"user", "ada"}, {"rows", 1}});
  data({{"rows", 2}, {"ok", true}});
  const std::vector<field> expected{{"user", std::string("ada")}, {"rows", std::int64_t{2}}, {"ok", true}};
  EXPECT_EQ(mine.take_all().data, expected);
  EXPECT_TRUE(mine.take_all().data.empty());
}

TEST(collector, takes_in_a_whole_foreign_log) {
  collection foreign;
  {
    collector theirs({.records_max = 1});
    info("one");
    info("two");
    timer hash("hash");
    data({{"rounds", 5}});
    foreign = theirs.take_all();
  }
  collector mine;
  data({{"rounds", 1}});
  emit(foreign);
  const auto all = mine.take_all();
  EXPECT_EQ(all.records, foreign.records);
  EXPECT_EQ(all.timers, foreign.timers);
  EXPECT_EQ(all.data, foreign.data);
  EXPECT_EQ(all.dropped, 1U);
}

TEST(collector, takes_from_many_threads_at_once) {
  collector mine;
  constexpr int threads = 4;
  constexpr int writes = 300;
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back(bind([t] {
      for (int n = 0; n < writes; ++n) {
        timer each("each");
        info("n", {{"thread", t}, {"n", n}});
        data({{"latest", n}});
      }
    }));
  }
  std::size_t taken = 0;
  for (int n = 0; n < 20; ++n) taken += mine.take().size();
  for (auto& each : all) each.join();
  taken += mine.take().size();
  EXPECT_EQ(taken, static_cast<std::size_t>(threads * writes));
}

}  // namespace
}  // namespace weft::log
