#include <weft/metrics/family.hpp>

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/metrics/registry.hpp>

namespace {

using weft::metrics::registry;

const weft::metrics::description jobs{
    .name = "test_jobs_total", .help = "Jobs", .labels = {"queue", "outcome"}, .label_sets_max = 2};

TEST(metrics_family, keeps_label_sets_apart) {
  registry all;
  const auto counted = all.get_counters(jobs);
  counted.with({"mail", "done"}).add(2);
  counted.with({"mail", "failed"}).add(3);
  counted.with({"mail", "done"}).add(4);
  const auto now = all.take_snapshot();
  EXPECT_EQ(now.find("test_jobs_total", {"mail", "done"})->value, 6);
  EXPECT_EQ(now.find("test_jobs_total", {"mail", "failed"})->value, 3);
  EXPECT_EQ(now.find("test_jobs_total", {"done", "mail"}), nullptr);
}

TEST(metrics_family, shows_its_label_sets_in_order) {
  registry all;
  const auto gauges = all.get_gauges({.name = "test_depth", .help = "Depth", .labels = {"a", "b"}});
  for (const char* a : {"z", "b", "", "bb"}) {
    for (const char* b : {"2", "1"}) gauges.with({a, b}).set(1);
  }
  std::vector<std::vector<std::string>> shown;
  const auto now = all.take_snapshot();
  for (const auto& one : now.find("test_depth")->samples) shown.push_back(one.label_values);
  EXPECT_EQ(
      shown,
      (std::vector<std::vector<std::string>>{
          {"", "1"}, {"", "2"}, {"b", "1"}, {"b", "2"}, {"bb", "1"}, {"bb", "2"}, {"z", "1"}, {"z", "2"}}));
}

TEST(metrics_family, counts_label_sets_above_its_bound_in_one_and_says_how_often) {
  registry all;
  const auto counted = all.get_counters(jobs);
  counted.with({"a", "done"}).add();
  counted.with({"b", "done"}).add();
  counted.with({"c", "done"}).add(5);
  counted.with({"d", "done"}).add(7);
  counted.with({"a", "done"}).add();  // still there
  const auto now = all.take_snapshot();
  EXPECT_EQ(now.find("test_jobs_total")->samples.size(), 3U);
  EXPECT_EQ(now.find("test_jobs_total", {"(other)", "(other)"})->value, 12);
  EXPECT_EQ(now.find("test_jobs_total", {"a", "done"})->value, 2);
  EXPECT_EQ(now.find("weft_metrics_refused_label_sets_total", {"test_jobs_total"})->value, 2);
}

TEST(metrics_family, a_label_set_that_is_called_other_is_the_other_one) {
  registry all;
  const auto counted = all.get_counters(jobs);
  counted.with({"(other)", "(other)"}).add(1);
  counted.with({"a", "done"}).add();
  counted.with({"b", "done"}).add();
  counted.with({"c", "done"}).add(2);
  EXPECT_EQ(all.take_snapshot().find("test_jobs_total", {"(other)", "(other)"})->value, 3);
}

TEST(metrics_family, does_not_show_gauges_above_its_bound) {
  registry all;
  const auto depth =
      all.get_gauges({.name = "test_depth", .help = "Depth", .labels = {"queue"}, .label_sets_max = 1});
  depth.with({"a"}).set(1);
  depth.with({"b"}).set(2);
  const auto now = all.take_snapshot();
  ASSERT_EQ(now.find("test_depth")->samples.size(), 1U);
  EXPECT_EQ(now.find("weft_metrics_refused_label_sets_total", {"test_depth"})->value, 1);
}

TEST(metrics_family, histograms_above_its_bound_are_one_histogram) {
  registry all;
  const auto sizes = all.get_histograms(
      {.name = "test_size", .help = "Sizes", .labels = {"queue"}, .label_sets_max = 1}, {1, 2});
  sizes.with({"a"}).record(1);
  sizes.with({"b"}).record(2);
  sizes.with({"c"}).record(3);
  const auto now = all.take_snapshot();
  EXPECT_EQ(now.find("test_size", {"a"})->histogram.count(), 1U);
  EXPECT_EQ(now.find("test_size", {"(other)"})->histogram.count(), 2U);
}

TEST(metrics_family, refuses_another_number_of_label_values) {
  registry all;
  const auto counted = all.get_counters(jobs);
  try {
    counted.with({"mail"});
    FAIL() << "one value was enough for two labels";
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), weft::errc::misuse);
    EXPECT_EQ(refused.message(), "metrics: \"test_jobs_total\" has 2 labels, and was given 1 label values");
  }
}

TEST(metrics_family, of_an_empty_handle_the_metrics_are_empty) {
  const weft::metrics::family<weft::metrics::counter> none;
  none.with({"a", "b", "c"}).add();
  EXPECT_EQ(none.with({}).value(), 0);
}

TEST(metrics_family, threads_that_look_up_the_same_new_label_sets_share_them) {
  registry all;
  const auto counted = all.get_counters({.name = "test_jobs_total", .help = "Jobs", .labels = {"queue"}});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) counted.with({std::to_string(i % 50)}).add();
    });
  }
  for (auto& one : threads) one.join();
  const auto now = all.take_snapshot();
  ASSERT_EQ(now.find("test_jobs_total")->samples.size(), 50U);
  for (const auto& one : now.find("test_jobs_total")->samples) EXPECT_EQ(one.value, 40);
}

}  // namespace
