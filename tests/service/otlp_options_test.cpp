#include <weft/service/otlp_options.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;

/// Variables of the environment, for as long as it lives.
class variables {
 public:
  variables(std::initializer_list<std::pair<const char*, const char*>> set) {
    for (const auto& [name, value] : set) {
      names_.emplace_back(name);
      setenv(name, value, 1);
    }
  }
  variables(const variables&) = delete;
  variables& operator=(const variables&) = delete;
  ~variables() {
    for (const std::string& name : names_) unsetenv(name.c_str());
  }

 private:
  std::vector<std::string> names_;
};

std::string text_of(const std::vector<trace::attribute>& all) {
  std::string text;
  for (const auto& one : all) text += one.name + '=' + std::get<std::string>(one.value) + ';';
  return text;
}

TEST(otlp_options, without_an_environment_are_the_defaults) {
  const auto got = otlp_options::from_environment();
  EXPECT_EQ(got.url, "http://localhost:4318/v1/traces");
  EXPECT_TRUE(got.headers.empty());
  EXPECT_EQ(got.service_name, "");
  EXPECT_TRUE(got.resource.empty());
  EXPECT_FALSE(got.compresses);
  EXPECT_EQ(got.timeout, 10s);
  EXPECT_EQ(got.schedule, 5s);
  EXPECT_EQ(got.batch_spans_max, 512u);
  EXPECT_TRUE(environment_wants_traces());
}

TEST(otlp_options, follow_the_environment) {
  const variables set{{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318"},
                      {"OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, other = c=d ,"},
                      {"OTEL_EXPORTER_OTLP_TIMEOUT", "250"},
                      {"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"},
                      {"OTEL_SERVICE_NAME", "shop"},
                      {"OTEL_RESOURCE_ATTRIBUTES", "service.version=1.2,team=a%2Cb"},
                      {"OTEL_BSP_SCHEDULE_DELAY", "100"},
                      {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "64"}};
  const auto got = otlp_options::from_environment();
  EXPECT_EQ(got.url, "https://collector:4318/v1/traces");
  const std::vector<std::pair<std::string, std::string>> headers{{"api-key", "a b"}, {"other", "c=d"}};
  EXPECT_EQ(got.headers, headers);
  EXPECT_EQ(got.timeout, 250ms);
  EXPECT_TRUE(got.compresses);
  EXPECT_EQ(got.service_name, "shop");
  EXPECT_EQ(text_of(got.resource), "service.version=1.2;team=a,b;");
  EXPECT_EQ(got.schedule, 100ms);
  EXPECT_EQ(got.batch_spans_max, 64u);
}

TEST(otlp_options, what_is_for_traces_alone_wins) {
  const variables set{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:1/base/"},
                      {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=traces"},
                      {"OTEL_EXPORTER_OTLP_HEADERS", "a=all"},
                      {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1"},
                      {"OTEL_EXPORTER_OTLP_TIMEOUT", "2"}};
  const auto got = otlp_options::from_environment();
  EXPECT_EQ(got.url, "http://all:1/base/v1/traces");
  EXPECT_EQ(got.headers.at(0).second, "traces");
  EXPECT_EQ(got.timeout, 1ms);
  const variables whole{{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:2/x"}};
  EXPECT_EQ(otlp_options::from_environment().url, "http://traces:2/x");
}

TEST(otlp_options, what_cannot_be_read_is_passed_over) {
  for (const char* const bad : {"a", "a=b,c", "=b", "a=%zz", "a=b,=c"}) {
    const variables set{{"OTEL_EXPORTER_OTLP_HEADERS", bad}, {"OTEL_RESOURCE_ATTRIBUTES", bad}};
    const auto got = otlp_options::from_environment();
    EXPECT_TRUE(got.headers.empty()) << bad;
    EXPECT_TRUE(got.resource.empty()) << bad;
  }
  for (const char* const bad : {"0", "-1", "1s", "99999999999999", " 5"}) {
    const variables set{{"OTEL_EXPORTER_OTLP_TIMEOUT", bad}, {"OTEL_BSP_SCHEDULE_DELAY", bad}};
    const auto got = otlp_options::from_environment();
    EXPECT_EQ(got.timeout, 10s) << bad;
    EXPECT_EQ(got.schedule, 5s) << bad;
  }
  const variables set{{"OTEL_EXPORTER_OTLP_COMPRESSION", "brotli"}, {"OTEL_EXPORTER_OTLP_ENDPOINT", ""}};
  EXPECT_FALSE(otlp_options::from_environment().compresses);
  EXPECT_EQ(otlp_options::from_environment().url, "http://localhost:4318/v1/traces");
}

TEST(otlp_options, the_environment_may_want_no_traces) {
  EXPECT_FALSE((variables{{"OTEL_SDK_DISABLED", "TRUE"}}, environment_wants_traces()));
  EXPECT_FALSE((variables{{"OTEL_TRACES_EXPORTER", "none"}}, environment_wants_traces()));
  EXPECT_TRUE((variables{{"OTEL_SDK_DISABLED", "false"}}, environment_wants_traces()));
}

}  // namespace
}  // namespace weft
