#include <weft/metrics/source.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/core/task_block.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/metrics/registry.hpp>

namespace {

using weft::metrics::given_family;
using weft::metrics::kind;
using weft::metrics::readings;
using weft::metrics::registry;
using weft::metrics::source;

const given_family live{.what = {.name = "test_live", .help = "Live"}};
const given_family started{.what = {.name = "test_started_total", .help = "Started"}, .kind = kind::counter};
const given_family depth{
    .what = {.name = "test_depth", .help = "Depth", .labels = {"queue"}, .label_sets_max = 2}};

TEST(metrics_source, is_asked_at_each_snapshot) {
  registry all;
  int calls = 0;
  const source one = all.add_source({live, started}, [&](readings& to) {
    ++calls;
    to.add("test_live", 10 * calls);
    to.add("test_started_total", calls);
  });
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(all.take_snapshot().find("test_live", {})->value, 10);
  const auto now = all.take_snapshot();
  EXPECT_EQ(now.find("test_live", {})->value, 20);
  EXPECT_EQ(now.find("test_started_total", {})->value, 2);
  EXPECT_EQ(now.find("test_started_total")->kind, kind::counter);
}

TEST(metrics_source, values_of_one_label_set_add_up) {
  registry all;
  const auto give = [](readings& to) {
    to.add("test_depth", 2, {"mail"});
    to.add("test_depth", 3, {"mail"});
  };
  const source one = all.add_source({depth}, give);
  const source other = all.add_source({depth}, give);
  all.get_gauges(depth.what).with({"mail"}).set(100);
  EXPECT_EQ(all.take_snapshot().find("test_depth", {"mail"})->value, 110);
}

TEST(metrics_source, is_not_asked_after_its_end) {
  registry all;
  source one = all.add_source({live}, [](readings& to) { to.add("test_live", 1); });
  source moved = std::move(one);
  EXPECT_EQ(all.take_snapshot().find("test_live")->samples.size(), 1U);
  moved = source();
  EXPECT_EQ(all.take_snapshot().find("test_live")->samples.size(), 0U);
  moved.end();
}

TEST(metrics_source, may_outlive_its_registry) {
  source one;
  const auto held = std::make_shared<int>(1);
  {
    registry all;
    one = all.add_source({live}, [held](readings&) {});
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
  one.end();
}

TEST(metrics_source, its_end_waits_for_the_call_that_runs) {
  registry all;
  std::atomic<bool> inside{false};
  std::atomic<bool> ending{false};
  std::atomic<bool> left{false};
  source one = all.add_source({live}, [&](readings&) {
    inside = true;
    while (!ending) std::this_thread::yield();
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    left = true;
  });
  std::thread taker([&] { all.take_snapshot(); });
  while (!inside) std::this_thread::yield();
  ending = true;
  one.end();
  EXPECT_TRUE(left);
  taker.join();
}

TEST(metrics_source, that_fails_leaves_the_others_and_is_reported) {
  registry all;
  const source bad = all.add_source({started, live}, [](readings& to) {
    to.add("test_live", 5);
    throw std::runtime_error("the pool is gone");
  });
  const source good = all.add_source({live}, [](readings& to) { to.add("test_live", 1); });
  const auto now = all.take_snapshot();
  EXPECT_EQ(now.find("test_live", {})->value, 6);
  EXPECT_EQ(now.problems, std::vector<std::string>{"metrics: a source failed: the pool is gone"});
  EXPECT_EQ(now.find("weft_metrics_source_errors_total", {})->value, 1);
}

TEST(metrics_source, passes_on_what_unwinds_the_task) {
  registry all;
  source one =
      all.add_source({live}, [](readings&) { throw weft::cancelled(weft::cancel_reason::requested); });
  EXPECT_THROW(all.take_snapshot(), weft::cancelled);
  one.end();
  EXPECT_TRUE(all.take_snapshot().problems.empty());
}

TEST(metrics_source, may_give_only_the_families_it_was_added_with) {
  registry all;
  all.get_gauge({.name = "test_else", .help = "Else"});
  const source one = all.add_source({live}, [](readings& to) { to.add("test_else", 1); });
  const auto now = all.take_snapshot();
  ASSERT_EQ(now.problems.size(), 1U);
  EXPECT_NE(now.problems[0].find("\"test_else\", which is not among the families"), std::string::npos);
  EXPECT_EQ(now.find("test_else", {})->value, 0);
}

TEST(metrics_source, a_counter_of_it_must_be_a_number_that_can_grow) {
  registry all;
  const source one = all.add_source({started, live}, [](readings& to) {
    to.add("test_started_total", -1);
    to.add("test_started_total", std::numeric_limits<double>::quiet_NaN());
    to.add("test_live", -1);
  });
  const auto now = all.take_snapshot();
  EXPECT_TRUE(now.find("test_started_total")->samples.empty());
  EXPECT_EQ(now.find("test_live", {})->value, -1);
  EXPECT_EQ(now.find("weft_metrics_refused_values_total", {"test_started_total"})->value, 2);
}

TEST(metrics_source, label_sets_above_the_bound_are_left_out_or_counted_together) {
  registry all;
  given_family counted{
      .what = {.name = "test_runs_total", .help = "R", .labels = {"queue"}, .label_sets_max = 2}};
  counted.kind = kind::counter;
  const source one = all.add_source({depth, counted}, [](readings& to) {
    for (const char* queue : {"a", "b", "c", "d"}) {
      to.add("test_depth", 1, {queue});
      to.add("test_runs_total", 1, {queue});
    }
  });
  const auto now = all.take_snapshot();
  EXPECT_EQ(now.find("test_depth")->samples.size(), 2U);
  EXPECT_EQ(now.find("test_runs_total")->samples.size(), 3U);
  EXPECT_EQ(now.find("test_runs_total", {"(other)"})->value, 2);
  EXPECT_EQ(now.find("weft_metrics_refused_label_sets_total", {"test_depth"})->value, 2);
}

TEST(metrics_source, gives_no_histograms) {
  registry all;
  given_family spread = live;
  spread.kind = kind::histogram;
  EXPECT_THROW(static_cast<void>(all.add_source({spread}, [](readings&) {})), weft::error);
}

TEST(metrics_source, must_not_wait_nor_ask_for_a_snapshot) {
  registry all;
  const char* forbidden = nullptr;
  const source one = all.add_source({live}, [&](readings&) {
    forbidden = weft::detail::task_block::current().no_wait;
    all.take_snapshot();
  });
  const auto now = all.take_snapshot();
  EXPECT_STREQ(forbidden, "a source of metrics");
  ASSERT_EQ(now.problems.size(), 1U);
  EXPECT_NE(now.problems[0].find("take_snapshot: called by a source"), std::string::npos);
  EXPECT_EQ(weft::detail::task_block::current().no_wait, nullptr);
}

TEST(metrics_source, ended_by_a_source_ends_the_program) {
  registry all;
  source other = all.add_source({live}, [](readings&) {});
  const source one = all.add_source({live}, [&](readings&) { other.end(); });
  EXPECT_DEATH(std::ignore = all.take_snapshot(), "a source is ended by a source");
}

TEST(metrics_source, comes_and_goes_while_others_take_snapshots) {
  registry all;
  std::atomic<bool> over{false};
  std::thread taker([&] {
    while (!over) all.take_snapshot();
  });
  for (int i = 0; i < 50; ++i) {
    int value = i;
    const source one = all.add_source({live}, [&value](readings& to) { to.add("test_live", ++value); });
    std::this_thread::yield();
  }
  over = true;
  taker.join();
  EXPECT_TRUE(all.take_snapshot().find("test_live")->samples.empty());
}

}  // namespace
