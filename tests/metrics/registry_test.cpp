#include <weft/metrics/registry.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <weft/core/error.hpp>

namespace {

using weft::errc;
using weft::metrics::description;
using weft::metrics::registry;

/// The error of `work`; nothing if there was none.
template <typename Work>
std::optional<weft::error> error_of(Work work) {
  try {
    work();
  } catch (const weft::error& refused) {
    return refused;
  }
  return std::nullopt;
}

errc code_of(const std::optional<weft::error>& refused) { return refused ? refused->code() : errc::unknown; }

std::optional<weft::error> counter_named(const std::string& name, const std::string& unit = "") {
  registry all;
  return error_of([&] { all.get_counter({.name = name, .help = "Something", .unit = unit}); });
}

std::optional<weft::error> gauge_named(const std::string& name, const std::string& unit = "") {
  registry all;
  return error_of([&] { all.get_gauge({.name = name, .help = "Something", .unit = unit}); });
}

TEST(metrics_registry, takes_names_of_the_prometheus_grammar_only) {
  for (const char* good : {"a", "_a", "A9_b", "weft_fibers", "total"})
    EXPECT_FALSE(gauge_named(good)) << good;
  for (const char* bad : {"", "9a", "a-b", "a b", "a.b", "a:b", "gr\xc3\xbc", "a\n"}) {
    EXPECT_EQ(code_of(gauge_named(bad)), errc::invalid_argument) << bad;
  }
  EXPECT_FALSE(gauge_named(std::string(weft::metrics::name_bytes_max, 'a')));
  EXPECT_TRUE(gauge_named(std::string(weft::metrics::name_bytes_max + 1, 'a')));
}

TEST(metrics_registry, a_counter_and_only_a_counter_ends_in_total) {
  EXPECT_FALSE(counter_named("jobs_total"));
  EXPECT_EQ(counter_named("jobs").value().message(),
            "metrics: register \"jobs\": a counter ends in _total: \"jobs_total\"");
  EXPECT_TRUE(counter_named("_total"));
  EXPECT_EQ(
      gauge_named("jobs_total").value().message(),
      "metrics: register \"jobs_total\": a gauge must not end in _total, which exporters append to names");
  for (const char* ending : {"_bucket", "_count", "_sum", "_created", "_info"}) {
    EXPECT_EQ(code_of(gauge_named(std::string("jobs") + ending)), errc::invalid_argument) << ending;
  }
}

TEST(metrics_registry, a_name_ends_in_its_unit) {
  EXPECT_FALSE(gauge_named("queue_age_seconds", "seconds"));
  EXPECT_FALSE(counter_named("busy_seconds_total", "seconds"));
  EXPECT_EQ(gauge_named("queue_age", "seconds").value().message(),
            "metrics: register \"queue_age\": a name ends in its unit: \"queue_age_seconds\"");
  EXPECT_EQ(counter_named("busy_total", "seconds").value().message(),
            "metrics: register \"busy_total\": a name ends in its unit: \"busy_seconds_total\"");
  EXPECT_TRUE(gauge_named("queueseconds", "seconds"));
  EXPECT_TRUE(gauge_named("a_m/s", "m/s"));
}

TEST(metrics_registry, keeps_its_own_names_and_wants_a_help) {
  EXPECT_EQ(code_of(gauge_named("weft_metrics_anything")), errc::invalid_argument);
  registry all;
  EXPECT_EQ(code_of(error_of([&] { all.get_gauge({.name = "a", .help = ""}); })), errc::invalid_argument);
}

TEST(metrics_registry, checks_label_names) {
  registry all;
  const auto labelled = [&](std::vector<std::string> labels) {
    return code_of(error_of([&] { all.get_histograms({.name = "a", .help = "A", .labels = labels}, {1}); }));
  };
  for (const char* bad : {"", "9", "a-b", "a:b", "__name", "le"}) {
    EXPECT_EQ(labelled({bad}), errc::invalid_argument) << bad;
  }
  EXPECT_EQ(labelled({"a", "b", "a"}), errc::invalid_argument);
  EXPECT_EQ(labelled(std::vector<std::string>(weft::metrics::labels_max + 1, "a")), errc::invalid_argument);
  EXPECT_FALSE(error_of([&] {
    all.get_counters({.name = "b_total", .help = "B", .labels = {"le", "_x9"}});
  }));
}

TEST(metrics_registry, checks_bounds) {
  registry all;
  const auto bounded = [&](const std::vector<double>& bounds) {
    return code_of(error_of([&] { all.get_histogram({.name = "a", .help = "A"}, bounds); }));
  };
  constexpr double infinite = std::numeric_limits<double>::infinity();
  EXPECT_EQ(bounded({}), errc::invalid_argument);
  EXPECT_EQ(bounded({1, 1}), errc::invalid_argument);
  EXPECT_EQ(bounded({2, 1}), errc::invalid_argument);
  EXPECT_EQ(bounded({1, infinite}), errc::invalid_argument);
  EXPECT_EQ(bounded({std::numeric_limits<double>::quiet_NaN()}), errc::invalid_argument);
  EXPECT_EQ(bounded(std::vector<double>(weft::metrics::buckets_max + 1, 1)), errc::invalid_argument);
}

TEST(metrics_registry, wants_labels_for_families_and_none_for_single_metrics) {
  registry all;
  EXPECT_EQ(code_of(error_of([&] { all.get_counters({.name = "a_total", .help = "A"}); })), errc::misuse);
  EXPECT_EQ(code_of(error_of([&] { all.get_gauge({.name = "a", .help = "A", .labels = {"x"}}); })),
            errc::misuse);
}

TEST(metrics_registry, gives_the_same_metric_for_the_same_description) {
  registry all;
  all.get_histogram({.name = "a_seconds", .help = "A", .unit = "seconds"}, {1, 2}).record(1);
  all.get_histogram({.name = "a_seconds", .help = "In other words", .unit = "seconds"}, {1, 2}).record(2);
  const auto now = all.take_snapshot();
  EXPECT_EQ(now.find("a_seconds", {})->histogram.count(), 2U);
  EXPECT_EQ(now.find("a_seconds")->help, "A");
}

TEST(metrics_registry, refuses_a_name_with_another_kind_unit_labels_or_bounds) {
  registry all;
  all.get_counter({.name = "a_total", .help = "A"});
  all.get_histogram({.name = "h_seconds", .help = "H"}, {1, 2});
  const auto unlike = [](auto work) { return code_of(error_of(work)) == errc::already_exists; };
  EXPECT_TRUE(unlike([&] { all.get_gauge({.name = "a", .help = "A"}); }));  // `a` to an exporter, both
  EXPECT_TRUE(unlike([&] { all.get_counters({.name = "a_total", .help = "A", .labels = {"x"}}); }));
  EXPECT_TRUE(unlike([&] { all.get_gauge({.name = "h_seconds", .help = "H"}); }));
  EXPECT_TRUE(unlike([&] { all.get_histogram({.name = "h_seconds", .help = "H"}, {1, 3}); }));
  EXPECT_TRUE(unlike([&] {
    all.get_histogram({.name = "h_seconds", .help = "H", .unit = "seconds"}, {1, 2});
  }));
  EXPECT_EQ(error_of([&] { all.get_gauge({.name = "a", .help = "A"}); })->message(),
            "metrics: register the gauge \"a\": there is the counter \"a_total\", and kind, unit, labels or "
            "bounds differ; give one of them another name");
}

TEST(metrics_registry, holds_as_many_families_as_its_bound) {
  registry all{{.families_max = 2}};
  all.get_gauge({.name = "a", .help = "A"});
  all.get_gauge({.name = "b", .help = "B"});
  EXPECT_EQ(code_of(error_of([&] { all.get_gauge({.name = "c", .help = "C"}); })), errc::resource_exhausted);
  EXPECT_FALSE(error_of([&] { all.get_gauge({.name = "a", .help = "A"}); }));
}

TEST(metrics_registry, a_snapshot_is_sorted_whatever_the_order_of_registration) {
  registry all;
  for (const char* name : {"z", "b", "xyz", "a"}) all.get_gauge({.name = name, .help = "G"});
  all.get_counter({.name = "m_total", .help = "M", .unit = ""});
  all.get_counters({.name = "empty_total", .help = "E", .labels = {"x"}});
  std::vector<std::string> names;
  const auto now = all.take_snapshot();
  for (const auto& one : now.families) names.push_back(one.name);
  EXPECT_EQ(names, (std::vector<std::string>{
                       "a", "b", "empty_total", "m_total", "weft_metrics_refused_label_sets_total",
                       "weft_metrics_refused_values_total", "weft_metrics_source_errors_total", "xyz", "z"}));
  EXPECT_TRUE(now.find("empty_total")->samples.empty());
  EXPECT_EQ(now.find("nothing"), nullptr);
  EXPECT_GT(now.taken.time_since_epoch().count(), 0);
}

TEST(metrics_registry, registries_know_nothing_of_each_other) {
  registry one;
  registry other;
  one.get_gauge({.name = "a", .help = "A"}).set(1);
  EXPECT_EQ(other.take_snapshot().find("a"), nullptr);
  EXPECT_EQ(&weft::metrics::default_registry(), &weft::metrics::default_registry());
}

TEST(metrics_registry, registers_and_snapshots_from_several_threads) {
  registry all;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        all.get_counter({.name = "c" + std::to_string(i % 20) + "_total", .help = "C"}).add();
        if (i % 10 == 0) all.take_snapshot();
      }
    });
  }
  for (auto& one : threads) one.join();
  const auto now = all.take_snapshot();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(now.find("c" + std::to_string(i) + "_total", {})->value, 20);
}

}  // namespace
