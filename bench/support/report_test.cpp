#include "support/report.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/measure.hpp"

namespace weft::bench {
namespace {

figure a_figure() {
  figure made;
  made.group = "g";
  made.name = "f";
  made.unit = "ns";
  made.ours = [] { return 2.0; };
  made.baseline = "peer";
  made.peer = [] { return 4.0; };
  made.target = at_most_times(0.5);
  return made;
}

row measure_one(const figure& what, int runs) { return measure(what, runs).at(0); }

TEST(bench, runs_both_sides_in_turn_and_does_not_count_the_first) {
  std::string order;
  auto one = a_figure();
  one.ours = [&] {
    order += 'o';
    return order.size() == 1 ? 1000.0 : 2.0;
  };
  one.peer = [&] {
    order += 'p';
    return 4.0;
  };
  const row measured = measure_one(one, 3);
  EXPECT_EQ(order, "opopopop");
  EXPECT_EQ(measured.value->max, 2.0);
  EXPECT_EQ(measured.ratio(), 0.5);
}

TEST(bench, further_baselines_run_in_the_same_turns_and_have_rows_of_their_own) {
  std::string order;
  auto one = a_figure();
  const auto side = [&](char name, double value) {
    return [&order, name, value] {
      order += name;
      return value;
    };
  };
  one.ours = side('o', 2);
  one.peer = side('p', 4);
  one.more = {{"second", side('s', 1), at_most_times(1)}};
  const auto rows = measure(one, 2);
  EXPECT_EQ(order, "opsopsops");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].baseline, "peer");
  EXPECT_EQ(rows[0].met(), true);
  EXPECT_EQ(rows[1].baseline, "second");
  EXPECT_EQ(rows[1].name, "f");
  EXPECT_EQ(rows[1].value->median, 2);
  EXPECT_EQ(rows[1].ratio(), 2);
  EXPECT_EQ(rows[1].met(), false);
}

TEST(bench, a_baseline_that_is_missing_does_not_take_the_others_along) {
  auto one = a_figure();
  one.more = {{"second", []() -> double { throw unavailable("not installed"); }, at_most_times(1)}};
  const auto rows = measure(one, 1);
  EXPECT_EQ(rows[0].met(), true);
  EXPECT_EQ(rows[0].missing, "");
  EXPECT_EQ(rows[1].met(), std::nullopt);
  EXPECT_EQ(rows[1].missing, "second: not installed");
}

TEST(bench, a_figure_of_fresh_processes_counts_its_first_run) {
  int runs = 0;
  auto one = a_figure();
  one.warm_up = false;
  one.ours = [&] { return static_cast<double>(++runs); };
  EXPECT_EQ(measure_one(one, 3).value->min, 1);
  EXPECT_EQ(runs, 3);
}

TEST(bench, a_row_has_median_minimum_and_maximum) {
  auto one = a_figure();
  double next = 0;
  one.ours = [&] { return next++; };  // 0 does not count, then 1 to 5
  const row measured = measure_one(one, 5);
  EXPECT_EQ(measured.value->median, 3.0);
  EXPECT_EQ(measured.value->min, 1.0);
  EXPECT_EQ(measured.value->max, 5.0);
}

TEST(bench, a_target_may_be_a_ratio_or_a_value_and_has_a_side) {
  const auto met = [](target wanted) {
    auto one = a_figure();
    one.target = wanted;
    return measure_one(one, 1).met();
  };
  EXPECT_EQ(met(at_most_times(0.5)), true);
  EXPECT_EQ(met(at_most_times(0.49)), false);
  EXPECT_EQ(met(at_least_times(0.51)), false);
  EXPECT_EQ(met(at_least_times(0.5)), true);
  EXPECT_EQ(met(at_most(2)), true);
  EXPECT_EQ(met(at_least(3)), false);
  EXPECT_EQ(met({}), std::nullopt);
}

TEST(bench, a_missing_peer_is_a_row_that_says_so_and_meets_nothing) {
  auto one = a_figure();
  one.peer = []() -> double { throw unavailable("not installed"); };
  const row measured = measure_one(one, 2);
  EXPECT_EQ(measured.missing, "peer: not installed");
  EXPECT_TRUE(measured.value.has_value());
  EXPECT_EQ(measured.ratio(), std::nullopt);
  EXPECT_EQ(measured.met(), std::nullopt);
}

TEST(bench, after_runs_also_where_before_could_not) {
  auto one = a_figure();
  bool after = false;
  one.before = [] { throw unavailable("no disk"); };
  one.after = [&] { after = true; };
  const row measured = measure_one(one, 2);
  EXPECT_TRUE(after);
  EXPECT_EQ(measured.missing, "not measured: no disk");
  EXPECT_FALSE(measured.value.has_value());
}

TEST(bench, json_has_the_members_that_are_promised) {
  const std::string text = to_json(measure(a_figure(), 1));
  EXPECT_EQ(text.find("{\"schema\":1,\"group\":\"g\",\"machine\":{"), 0U);
  EXPECT_NE(
      text.find(
          "{\"group\":\"g\",\"name\":\"f\",\"value\":2,\"value_min\":2,\"value_max\":2,\"unit\":\"ns\","
          "\"baseline\":\"peer\",\"baseline_value\":4,\"baseline_value_min\":4,\"baseline_value_max\":4,"
          "\"ratio\":0.5,\"target\":\"<= 0.50x\",\"met\":true}"),
      std::string::npos)
      << text;
}

TEST(bench, numbers_have_three_digits) {
  EXPECT_EQ(number_text(0), "0.00");
  EXPECT_EQ(number_text(0.01234), "0.0123");
  EXPECT_EQ(number_text(1.234), "1.23");
  EXPECT_EQ(number_text(12.34), "12.3");
  EXPECT_EQ(number_text(1234), "1234");
  EXPECT_EQ(number_text(12345), "12.3k");
  EXPECT_EQ(number_text(1234567), "1.23M");
}

TEST(bench, percentiles_are_samples) {
  std::vector<double> hundred;
  for (int n = 100; n >= 1; --n) hundred.push_back(n);
  EXPECT_EQ(percentile(hundred, 0), 1);
  EXPECT_EQ(percentile(hundred, 0.99), 99);
  EXPECT_EQ(percentile(hundred, 1), 100);
  EXPECT_EQ(median(hundred), 50.5);
}

}  // namespace
}  // namespace weft::bench
