#include <weft/service/exposition.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>
#include <weft/process/exec.hpp>

namespace weft::ops {
namespace {

using metrics::kind;
using namespace std::chrono_literals;

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr const char* python = "/usr/bin/python3";  // the one that has Debian's packages
constexpr auto program_time = 60s;

metrics::snapshot some() {
  metrics::snapshot made;
  made.families.push_back({.kind = kind::gauge,
                           .name = "app_held_bytes",
                           .help = "A \"quoted\" \\ help\nof two lines",
                           .unit = "bytes",
                           .labels = {"who", "where"},
                           .samples = {{.label_values = {"a\"b\\c\nd", ""}, .value = 1.5},
                                       {.label_values = {"\xc3\xa4", "}"}, .value = -infinite}}});
  made.families.push_back({.kind = kind::counter,
                           .name = "app_spent_seconds_total",
                           .help = "Time spent",
                           .unit = "seconds",
                           .samples = {{.value = 9007199254740991}}});
  made.families.push_back(
      {.kind = kind::histogram,
       .name = "app_took_seconds",
       .help = "Time taken",
       .unit = "seconds",
       .labels = {"route"},
       .samples = {
           {.label_values = {"/"},
            .histogram = {.bounds = {0.001, 1, 1e6, 1e-05}, .counts = {1, 0, 2, 0, 3}, .sum = 7.25}}}});
  made.families.push_back({.kind = kind::gauge, .name = "app_nothing", .help = "None yet"});
  return made;
}

TEST(exposition, the_text_format_of_prometheus) {
  EXPECT_EQ(expose(some(), exposition_format::prometheus),
            R"(# HELP app_held_bytes A "quoted" \\ help\nof two lines
# TYPE app_held_bytes gauge
app_held_bytes{who="a\"b\\c\nd",where=""} 1.5
app_held_bytes{who="ä",where="}"} -Inf
# HELP app_spent_seconds_total Time spent
# TYPE app_spent_seconds_total counter
app_spent_seconds_total 9.007199254740991e+15
# HELP app_took_seconds Time taken
# TYPE app_took_seconds histogram
app_took_seconds_bucket{route="/",le="0.001"} 1
app_took_seconds_bucket{route="/",le="1.0"} 1
app_took_seconds_bucket{route="/",le="1e+06"} 3
app_took_seconds_bucket{route="/",le="1e-05"} 3
app_took_seconds_bucket{route="/",le="+Inf"} 6
app_took_seconds_sum{route="/"} 7.25
app_took_seconds_count{route="/"} 6
# HELP app_nothing None yet
# TYPE app_nothing gauge
)");
}

TEST(exposition, openmetrics_names_units_and_its_end) {
  const std::string made = expose(some(), exposition_format::openmetrics);
  EXPECT_NE(made.find("# HELP app_held_bytes A \\\"quoted\\\" \\\\ help\\nof two lines\n"
                      "# TYPE app_held_bytes gauge\n# UNIT app_held_bytes bytes\n"),
            std::string::npos);
  EXPECT_NE(made.find("# TYPE app_spent_seconds counter\n# UNIT app_spent_seconds seconds\n"
                      "app_spent_seconds_total 9.007199254740991e+15\n"),
            std::string::npos);
  EXPECT_TRUE(made.ends_with("# TYPE app_nothing gauge\n# EOF\n"));
  EXPECT_EQ(expose({}, exposition_format::openmetrics), "# EOF\n");
  EXPECT_EQ(expose({}, exposition_format::prometheus), "");
}

TEST(exposition, a_histogram_with_negative_bounds_has_no_sum_in_openmetrics) {
  metrics::snapshot from;
  from.families.push_back({.kind = kind::histogram,
                           .name = "app_drift",
                           .help = "Drift",
                           .samples = {{.histogram = {.bounds = {-1, 1}, .counts = {1, 1, 0}, .sum = -2}}}});
  EXPECT_EQ(expose(from, exposition_format::openmetrics).find("_sum"), std::string::npos);
  EXPECT_NE(expose(from, exposition_format::prometheus).find("app_drift_sum -2\n"), std::string::npos);
}

TEST(exposition, the_format_is_what_the_request_wants_most) {
  const auto open = exposition_format::openmetrics;
  const auto plain = exposition_format::prometheus;
  EXPECT_EQ(wanted_format(""), plain);
  EXPECT_EQ(wanted_format("*/*"), plain);
  EXPECT_EQ(wanted_format("text/html,application/xhtml+xml,*/*;q=0.8"), plain);
  EXPECT_EQ(wanted_format("application/openmetrics-text"), open);
  EXPECT_EQ(wanted_format("Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8"), open);
  EXPECT_EQ(wanted_format("application/openmetrics-text;version=0.0.1"), plain);
  EXPECT_EQ(wanted_format("application/openmetrics-text;q=0"), plain);
  EXPECT_EQ(wanted_format("application/openmetrics-text;q=0.4,text/plain;q=0.5"), plain);
  EXPECT_EQ(wanted_format("application/openmetrics-text;q=0.5,text/plain;q=0.4,*/*"), open);
  EXPECT_EQ(wanted_format("application/openmetrics-text;q=0.5,*/*"), plain);
  EXPECT_EQ(wanted_format("application/openmetrics-text;q=0.5,text/*;q=0.4,*/*"), open);
  EXPECT_EQ(wanted_format("application/openmetrics-text;q=0.5,text/plain;version=9;q=1"), open);
  // As a Prometheus of today asks.
  EXPECT_EQ(wanted_format("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                          "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,"
                          "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"),
            open);
}

// Prints each sample that a parser of others finds: name, labels and value, in hexadecimal digits.
const std::string reader = R"(
import io, struct, sys
from prometheus_client.parser import text_fd_to_metric_families as prometheus
from prometheus_client.openmetrics.parser import text_fd_to_metric_families as openmetrics
parse = {"prometheus": prometheus, "openmetrics": openmetrics}[sys.argv[1]]
for family in parse(io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="\n")):
    for one in family.samples:
        labels = sorted((k, v.encode().hex()) for k, v in one.labels.items() if k != "le")
        bound = [("le", struct.pack(">d", float(one.labels["le"])).hex())] if "le" in one.labels else []
        print(one.name, *(k + "=" + v for k, v in labels + bound), struct.pack(">d", one.value).hex(),
              family.documentation.encode().hex())
)";

std::string hex(std::string_view text) {
  std::string made;
  for (const char one : text) {
    for (const int nibble : {(one >> 4) & 15, one & 15}) made += "0123456789abcdef"[nibble];
  }
  return made;
}

std::string hex(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  std::string made;
  for (int shift = 60; shift >= 0; shift -= 4) made += "0123456789abcdef"[(bits >> shift) & 15];
  return made;
}

/// What the reader prints of `from`.
std::string expected_of(const metrics::snapshot& from) {
  std::string all;
  for (const auto& family : from.families) {
    for (const auto& one : family.samples) {
      std::vector<std::string> labels;
      for (std::size_t i = 0; i < family.labels.size(); ++i)
        labels.push_back(family.labels[i] + "=" + hex(one.label_values[i]));
      std::sort(labels.begin(), labels.end());
      const auto line = [&](const std::string& ending, const std::string& bound, double value) {
        all += family.name + ending;
        for (const std::string& label : labels) all += " " + label;
        all += bound + " " + hex(value) + " " + hex(family.help) + "\n";
      };
      if (family.kind != kind::histogram) {
        line("", "", one.value);
        continue;
      }
      double below = 0;
      for (std::size_t i = 0; i < one.histogram.counts.size(); ++i) {
        below += static_cast<double>(one.histogram.counts[i]);
        const double bound = i < one.histogram.bounds.size() ? one.histogram.bounds[i] : infinite;
        line("_bucket", " le=" + hex(bound), below);
      }
      line("_sum", "", one.histogram.sum);
      line("_count", "", below);
    }
  }
  return all;
}

std::string hostile_text(std::mt19937& chance) {
  static const std::vector<std::string> pieces{
      "\"", "\\", "\n",       "\\n",          "}",      "{", ",", "=", "#", " ", "a",
      "\r", "le", "\xc3\xa4", "\xe2\x82\xac", "# EOF\n"};
  std::string made;
  for (auto left = chance() % 8; left > 0; --left) made += pieces[chance() % pieces.size()];
  return made;
}

double any_value(std::mt19937& chance) {
  static const std::vector<double> values{0,         1,      0.1,  1e-300, 1.7976931348623157e308,
                                          123456789, 5e-324, 1e15, 4.5e15, 3};
  return values[chance() % values.size()];
}

metrics::snapshot random_snapshot(unsigned seed) {
  std::mt19937 chance(seed);
  metrics::snapshot made;
  for (int i = 0; i < 12; ++i) {
    metrics::family_snapshot family{
        .kind = static_cast<kind>(i % 3),
        .name = "app_" + std::to_string(i) + (i % 3 == 0 ? "_seconds_total" : "_seconds"),
        .help = "h" + hostile_text(chance) + ".",
        .unit = "seconds"};
    if (chance() % 3 != 0) family.labels = {"z", "a"};
    for (auto left = family.labels.empty() ? 1 : chance() % 4; left > 0; --left) {
      metrics::sample one{.value = any_value(chance)};
      if (!family.labels.empty()) one.label_values = {std::to_string(left), hostile_text(chance)};
      if (family.kind == kind::gauge && chance() % 2 == 0)
        one.value = chance() % 2 == 0 ? -infinite : -one.value;
      if (family.kind == kind::histogram) {
        one.histogram = {
            .bounds = {1e-05, 0.0001, 0.5, 1, 20, 1e6, 12345678.5}, .counts = {}, .sum = any_value(chance)};
        for (std::size_t bucket = 0; bucket <= one.histogram.bounds.size(); ++bucket)
          one.histogram.counts.push_back(chance() % 1000);
      }
      family.samples.push_back(std::move(one));
    }
    made.families.push_back(std::move(family));
  }
  return made;
}

TEST(exposition, a_parser_of_others_reads_what_was_written) {
  run([] {
    if (!exec({python, "-c", "import prometheus_client"}, {.timeout = program_time}).ok())
      GTEST_SKIP() << "python3-prometheus-client is not installed";
    for (unsigned seed = 1; seed <= 4; ++seed) {
      const metrics::snapshot from = random_snapshot(seed);
      for (const auto as : {exposition_format::prometheus, exposition_format::openmetrics}) {
        const std::string name = as == exposition_format::prometheus ? "prometheus" : "openmetrics";
        const auto said =
            exec({python, "-c", reader, name}, {.input = expose(from, as), .timeout = program_time});
        EXPECT_TRUE(said.ok()) << said.err;
        EXPECT_EQ(said.out, expected_of(from)) << name << " of seed " << seed << ":\n" << expose(from, as);
      }
    }
  });
}

TEST(exposition, the_route_negotiates) {
  run([] {
    metrics::registry all;
    all.get_counter({.name = "app_done_total", .help = "Done"}).add(3);
    http::server server({.listen = "127.0.0.1:0"});
    server.get("/metrics", metrics_handler(all));
    server.start();
    http::client asking(server.url());
    const auto plain = asking.get("/metrics");
    EXPECT_EQ(plain.header("Content-Type"), content_type(exposition_format::prometheus));
    EXPECT_EQ(plain.header("Vary"), "Accept");
    EXPECT_NE(plain.body().find("\napp_done_total 3\n"), std::string::npos);
    const auto open = asking.get("/metrics", {.headers = {{"Accept", "application/openmetrics-text"}}});
    EXPECT_EQ(open.header("Content-Type"), content_type(exposition_format::openmetrics));
    EXPECT_TRUE(open.body().ends_with("# EOF\n"));
    server.stop();
  });
}

}  // namespace
}  // namespace weft::ops
