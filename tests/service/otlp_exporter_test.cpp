#include <weft/service/otlp_exporter.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/semaphore.hpp>
#include <weft/http/compression.hpp>
#include <weft/http/server.hpp>
#include <weft/net/listener.hpp>
#include <weft/trace/span.hpp>
#include <weft/wire/json_value.hpp>

#include "service/otlp_sender.hpp"
#include "support/expect_error.hpp"

namespace weft {
namespace {

using namespace std::chrono_literals;
using http::request;
using http::response;

constexpr auto long_enough = 60s;

/// A collector that keeps what it was sent.
class collector {
 public:
  using answering = std::function<void(response&)>;

  collector() {
    serving_.use(http::decompress({.bytes_max = 10 << 20}));
    serving_.post("/v1/traces", [this](request& in, response& out) { take(in, out); },
                  {.body_bytes_max = 10 << 20});
    serving_.start();
  }
  collector(const collector&) = delete;
  collector& operator=(const collector&) = delete;
  ~collector() { serving_.stop(); }

  /// What it does with the next requests, in their order; then 200.
  void answer(answering how) { answers_.push_back(std::move(how)); }
  void answer(int status) {
    answer([status](response& out) { out.status(status); });
  }
  void wait_for_request() { ASSERT_TRUE(came_.try_acquire_for(long_enough)); }
  const std::vector<std::string>& bodies() const noexcept { return bodies_; }
  const std::string& last_fields() const noexcept { return last_fields_; }

  /// The names of the spans that it took.
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const std::string& body : bodies_) {
      const auto parsed = wire::parse_json(body);
      const auto& resources = *parsed.if_object()->find("resourceSpans")->if_list();
      const auto& scopes = *resources.at(0).if_object()->find("scopeSpans")->if_list();
      for (const auto& span : *scopes.at(0).if_object()->find("spans")->if_list())
        all.push_back(*span.if_object()->find("name")->if_text());
    }
    return all;
  }

  /// Sends only when it is told to.
  otlp_options options() const {
    otlp_options made;
    made.url = serving_.url() + "/v1/traces";
    made.service_name = "test";
    made.timeout = made.retry_timeout = long_enough;
    made.schedule = 1h;
    made.backoff_min = 1ms;
    made.backoff_max = 10ms;
    return made;
  }

 private:
  void take(request& in, response& out) {
    last_fields_.clear();
    for (const http::header& field : in.headers())
      last_fields_ += std::string(field.name) + ": " + std::string(field.value) + "\n";
    if (!answers_.empty()) {
      const answering next = std::move(answers_.front());
      answers_.pop_front();
      next(out);
    }
    if (out.status() == 200) bodies_.emplace_back(in.body());
    came_.release();
  }

  http::server serving_{{.listen = "127.0.0.1:0"}};
  std::deque<answering> answers_;
  std::vector<std::string> bodies_;
  std::string last_fields_;
  semaphore came_{0};
};

trace::finished_span span_named(std::string name) {
  trace::finished_span made;
  made.name = std::move(name);
  made.context.trace.bytes[0] = 1;
  made.context.span.bytes[0] = 1;
  return made;
}

std::shared_ptr<trace::recorder> recorder_with(int spans, trace::recorder_options options = {}) {
  auto made = std::make_shared<trace::recorder>(options);
  for (int i = 0; i < spans; ++i) made->record(span_named("span"));
  return made;
}

TEST(otlp_exporter, sends_what_ended_as_what_it_is) {
  run([] {
    collector to;
    otlp_options options = to.options();
    options.headers = {{"Api-Key", "secret"}};
    options.resource = {{"service.version", "1.2"}, {"service.name", "other"}};
    otlp_exporter exporter(recorder_with(2), options);
    ASSERT_TRUE(exporter.flush(long_enough));
    EXPECT_EQ(to.names(), (std::vector<std::string>{"span", "span"}));
    const std::string resource =
        R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"test"}},)"
        R"({"key":"telemetry.sdk.name","value":{"stringValue":"weft"}},)"
        R"({"key":"telemetry.sdk.language","value":{"stringValue":"cpp"}},)"
        R"({"key":"telemetry.sdk.version","value":{"stringValue":"0.1.0"}},)"
        R"({"key":"service.version","value":{"stringValue":"1.2"}}]},"scopeSpans":[)";
    EXPECT_EQ(to.bodies().at(0).substr(0, resource.size()), resource);
    EXPECT_TRUE(has_text(to.last_fields(), "Content-Type: application/json\n")) << to.last_fields();
    EXPECT_TRUE(has_text(to.last_fields(), "Api-Key: secret\n")) << to.last_fields();
    EXPECT_EQ(exporter.statistics().exported, 2u);
    EXPECT_TRUE(exporter.flush(long_enough));  // nothing is there
    EXPECT_EQ(exporter.statistics().requests, 1u);
    EXPECT_TRUE(exporter.stop(long_enough));
    EXPECT_TRUE(exporter.stop(long_enough));
    EXPECT_TRUE(exporter.flush(long_enough));
  });
}

TEST(otlp_exporter, sends_a_full_batch_at_once) {
  run([] {
    collector to;
    const auto recorder = recorder_with(0);
    otlp_options options = to.options();
    options.batch_spans_max = 10;
    otlp_exporter exporter(recorder, options);
    for (int i = 0; i < 10; ++i) recorder->record(span_named("first"));
    to.wait_for_request();
    for (int i = 0; i < 25; ++i) recorder->record(span_named("second"));
    ASSERT_TRUE(exporter.flush(long_enough));
    EXPECT_EQ(to.names().size(), 35u);
    EXPECT_GE(to.bodies().size(), 4u);
  });
}

TEST(otlp_exporter, sends_what_has_waited) {
  run([] {
    collector to;
    const auto recorder = recorder_with(0);
    otlp_options options = to.options();
    options.schedule = 5ms;
    const otlp_exporter exporter(recorder, options);
    for (int i = 0; i < 2; ++i) {
      recorder->record(span_named("one"));
      to.wait_for_request();
    }
  });
}

TEST(otlp_exporter, packs_where_that_is_wanted) {
  run([] {
    collector to;
    otlp_options options = to.options();
    options.compresses = true;
    otlp_exporter exporter(recorder_with(100), options);
    ASSERT_TRUE(exporter.flush(long_enough));
    EXPECT_TRUE(has_text(to.last_fields(), "Content-Encoding: gzip\n")) << to.last_fields();
    EXPECT_EQ(to.names().size(), 100u);
  });
}

TEST(otlp_exporter, tries_again_where_the_collector_may_take_it_later) {
  run([] {
    collector to;
    for (const int status : {429, 502, 503, 504}) to.answer(status);
    to.answer([](response& out) { out.status(503).header("Retry-After", "1000000"); });  // up to backoff_max
    otlp_exporter exporter(recorder_with(3), to.options());
    ASSERT_TRUE(exporter.flush(long_enough));
    EXPECT_EQ(to.names().size(), 3u);
    const otlp_statistics now = exporter.statistics();
    EXPECT_EQ(now.exported, 3u);
    EXPECT_EQ(now.requests, 6u);
    EXPECT_EQ(now.retries, 5u);
    EXPECT_EQ(now.failed, 0u);
  });
}

TEST(otlp_exporter, gives_up_what_is_refused_and_goes_on) {
  run([] {
    collector to;
    for (const int status : {400, 401, 404, 500}) to.answer(status);
    const auto recorder = recorder_with(1);
    otlp_exporter exporter(recorder, to.options());
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(exporter.flush(long_enough));
      recorder->record(span_named("next"));
    }
    ASSERT_TRUE(exporter.flush(long_enough));
    EXPECT_EQ(exporter.statistics().failed, 4u);
    EXPECT_EQ(exporter.statistics().retries, 0u);
    EXPECT_EQ(exporter.statistics().exported, 1u);
  });
}

TEST(otlp_exporter, gives_up_after_its_time) {
  run([] {
    collector to;
    to.answer(503);
    otlp_options options = to.options();
    options.retry_timeout = 0ms;
    otlp_exporter exporter(recorder_with(1), options);
    ASSERT_TRUE(exporter.flush(long_enough));
    EXPECT_EQ(exporter.statistics().failed, 1u);
    EXPECT_EQ(exporter.statistics().requests, 1u);
  });
}

TEST(otlp_exporter, counts_what_the_collector_took_and_rejected) {
  run([] {
    collector to;
    to.answer([](response& out) {
      out.body(R"({"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}})");
    });
    to.answer([](response& out) { out.body(R"({"partialSuccess":{"rejectedSpans":"1000000"}})"); });
    const auto recorder = recorder_with(5);
    otlp_exporter exporter(recorder, to.options());
    ASSERT_TRUE(exporter.flush(long_enough));
    EXPECT_EQ(exporter.statistics().exported, 3u);
    EXPECT_EQ(exporter.statistics().rejected, 2u);
    recorder->record(span_named("one"));
    ASSERT_TRUE(exporter.flush(long_enough));
    EXPECT_EQ(exporter.statistics().exported, 3u);
    EXPECT_EQ(exporter.statistics().rejected, 3u);
    EXPECT_EQ(exporter.statistics().failed, 0u);
  });
}

/// 100 spans in each of 100 fibers, in the recorder of the process.
void end_10000_spans(const std::shared_ptr<trace::recorder>& into) {
  trace::exchange_recorder(into);
  with_scope([](scope& all) {
    for (int i = 0; i < 100; ++i) {
      all.go([] {
        for (int k = 0; k < 100; ++k) {
          const trace::span here("work");
          if (k % 10 == 0) yield();
        }
      });
    }
  });
  trace::exchange_recorder(nullptr);
}

TEST(otlp_exporter, loses_none_of_10000_spans_of_many_fibers) {
  run([] {
    collector to;
    const auto recorder = recorder_with(0, {.spans_max = 20'000});
    otlp_exporter exporter(recorder, to.options());
    end_10000_spans(recorder);
    ASSERT_TRUE(exporter.flush(long_enough));
    EXPECT_EQ(recorder->dropped(), 0u);
    std::size_t count = 0;
    for (const std::string& name : to.names()) count += name == "work" ? 1 : 0;
    EXPECT_EQ(count, 10'000u);
    std::set<std::string> ids;
    for (const std::string& body : to.bodies()) {
      constexpr std::string_view member = "\"spanId\":\"";
      for (std::size_t at = 0; (at = body.find(member, at)) != std::string::npos;)
        ids.insert(body.substr(at += member.size(), 16));
    }
    EXPECT_GE(ids.size(), 10'000u);
    EXPECT_FALSE(has_text(to.last_fields(), "traceparent")) << to.last_fields();
  });
}

TEST(otlp_exporter, a_collector_that_never_answers_holds_nobody_up) {
  run([] {
    event leaves;
    collector to;
    to.answer([&](response&) { leaves.wait(); });
    const auto recorder = recorder_with(0, {.spans_max = 100});
    otlp_options options = to.options();
    options.batch_spans_max = 50;
    otlp_exporter exporter(recorder, options);
    end_10000_spans(recorder);
    EXPECT_FALSE(exporter.flush(1ms));
    EXPECT_LE(recorder->snapshot().size(), 100u);
    EXPECT_GE(recorder->dropped(), 9'000u);  // what was under way is the rest
    EXPECT_FALSE(exporter.stop(1ms));
    const otlp_statistics now = exporter.statistics();
    EXPECT_EQ(now.exported, 0u);
    EXPECT_GT(now.failed, 0u);
    EXPECT_EQ(now.dropped, recorder->dropped());
    leaves.set();
  });
}

TEST(otlp_exporter, a_collector_that_is_not_there_is_asked_again) {
  run([] {
    otlp_options options;
    {
      const net::listener free_port(net::endpoint::parse("127.0.0.1:0"));
      options.url = "http://" + free_port.address().text() + "/v1/traces";
    }
    options.schedule = 1h;
    options.backoff_min = options.backoff_max = 1ms;
    otlp_exporter exporter(recorder_with(3), options);
    EXPECT_FALSE(exporter.flush(1ms));
    while (exporter.statistics().retries < 3) sleep_for(1ms);
    EXPECT_FALSE(exporter.stop(1ms));
    EXPECT_EQ(exporter.statistics().failed, 3u);
    EXPECT_EQ(exporter.statistics().exported, 0u);
  });
}

TEST(otlp_exporter, sends_what_is_left_when_it_ends) {
  run([] {
    collector to;
    to.answer(503);
    otlp_options options = to.options();
    options.backoff_min = options.backoff_max = 1h;  // which the end does not wait for
    { const otlp_exporter exporter(recorder_with(7), options); }
    EXPECT_EQ(to.names().size(), 7u);
  });
}

TEST(otlp_exporter, works_without_a_run_around_it) {
  otlp_options options;
  options.url = "http://127.0.0.1:1/v1/traces";  // nobody listens there
  options.retry_timeout = 0ms;
  otlp_exporter exporter(recorder_with(1), options);
  EXPECT_TRUE(exporter.flush(long_enough));
  EXPECT_EQ(exporter.statistics().failed, 1u);
  EXPECT_TRUE(exporter.stop(long_enough));
}

TEST(otlp_exporter, refuses_options_that_are_none) {
  const auto refused = [](auto&& change) {
    otlp_options options;
    change(options);
    return message_of(errc::invalid_argument, [&] { otlp_exporter(recorder_with(0), options); });
  };
  for (const char* const url : {"", "collector", "ftp://a/x", "http://", "http://a:x/", "unix:/x"})
    EXPECT_TRUE(has_text(refused([&](otlp_options& of) { of.url = url; }), url));
  refused([](otlp_options& of) { of.batch_spans_max = 0; });
  refused([](otlp_options& of) { of.timeout = 0ms; });
  refused([](otlp_options& of) { of.schedule = -1ms; });
  refused([](otlp_options& of) { of.backoff_max = 1ms; });
  message_of(errc::invalid_argument, [] { otlp_exporter(nullptr, otlp_options()); });
}

TEST(otlp_sender, reads_both_forms_of_retry_after) {
  EXPECT_EQ(detail::read_retry_after("120"), 120s);
  EXPECT_EQ(detail::read_retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), 0s);
  EXPECT_GT(detail::read_retry_after("Tue, 31 Dec 2999 23:59:59 GMT"), 24h);
  for (const char* const bad : {"", "-1", "1.5", "soon", "Sun, 06 Nov 1994 08:49:37", "99999999999"})
    EXPECT_FALSE(detail::read_retry_after(bad)) << bad;
}

}  // namespace
}  // namespace weft
