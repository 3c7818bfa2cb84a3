// What a server tells about itself: traces, the access log and its health.
#include <weft/http/server.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/health.hpp>
#include <weft/http/status_error.hpp>
#include <weft/log/collector.hpp>
#include <weft/trace/baggage.hpp>
#include <weft/trace/propagation.hpp>
#include <weft/trace/recorder.hpp>
#include <weft/trace/span.hpp>

#include "http/raw_client.hpp"

namespace weft::http {
namespace {

constexpr const char* parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
inline constexpr key_spec tenant_spec{.name = "sight.tenant", .wire = wire_policy::baggage};
const key<std::string> tenant{tenant_spec};

std::string field_of(const log::record& one, std::string_view name) {
  for (const log::field& field : one.fields) {
    if (field.name != name) continue;
    if (const auto* const text = std::get_if<std::string>(&field.value)) return *text;
    if (const auto* const count = std::get_if<std::uint64_t>(&field.value)) return std::to_string(*count);
    return std::to_string(std::get<std::int64_t>(field.value));
  }
  return "none";
}

/// Tells the trace headers that came.
void tell_headers(server& to) {
  to.get("/told", [](request& in) {
    return std::string(in.header("traceparent").value_or("none")) + " " +
           std::string(in.header("tracestate").value_or("none")) + " " +
           std::string(in.header("baggage").value_or("none"));
  });
}

TEST(http_trace, goes_from_request_to_request) {
  run([] {
    server last(on_any_port());
    tell_headers(last);
    last.start();
    const auto told_behind = [&](trace_headers taken, bool sent) {
      server_options options = on_any_port();
      options.trace_headers = taken;
      server between(options);
      between.get("/", [&] {
        client on(last.url());
        return tenant.value_or("nobody") + " " + on.get("/told", {.sends_trace = sent}).body();
      });
      between.start();
      std::string told = client(between.url())
                             .get("/", {.headers = {{"traceparent", parent},
                                                    {"tracestate", "a=1"},
                                                    {"baggage", "sight.tenant=me"}}})
                             .body();
      between.stop();
      return told;
    };
    const std::string here(parent);
    EXPECT_EQ(told_behind(trace_headers::trace, true), "nobody " + here + " a=1 none");
    EXPECT_EQ(told_behind(trace_headers::trace_and_baggage, true), "me " + here + " a=1 sight.tenant=me");
    EXPECT_EQ(told_behind(trace_headers::none, true), "nobody none none none");
    EXPECT_EQ(told_behind(trace_headers::trace_and_baggage, false), "me none none none");
    last.stop();
  });
}

TEST(http_trace, a_request_is_a_span_where_there_is_a_recorder) {
  run([] {
    auto recorder = std::make_shared<trace::recorder>(trace::recorder_options{});
    const auto before = trace::exchange_recorder(recorder);
    server serving(on_any_port());
    serving.get("/users/{id}", [] { return "x"; });
    serving.get("/broken", []() -> std::string { throw status_error(502, "no"); });
    serving.start();
    client asking(serving.url());
    asking.get("/users/7", {.headers = {{"traceparent", parent}}});
    asking.get("/broken");
    serving.stop();
    trace::exchange_recorder(before);
    const auto spans = recorder->drain();
    ASSERT_EQ(spans.size(), 2u);
    EXPECT_EQ(spans[0].name, "/users/{id}");
    EXPECT_EQ(spans[0].kind, trace::span_kind::server);
    EXPECT_EQ(to_string(spans[0].context.trace), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(spans[0].status, trace::span_status::unset);
    EXPECT_EQ(spans[1].status, trace::span_status::error);
  });
}

TEST(http_access_log, has_a_record_for_each_request_that_the_filter_wants) {
  run([] {
    log::collector records;
    server_options options = on_any_port();
    options.access_log = true;
    options.access_log_filter = [](const served_request& one) { return one.target != "/dull"; };
    server serving(options);
    serving.get("/users/{id}", [] { return "four"; });
    serving.get("/dull", [] { return "dull"; });
    serving.get("/pieces", [](response& out) {
      out.status(201).write("one");
      out.write("two");
    });
    serving.get("/cut", [](response& out) {
      out.write("one");
      throw std::runtime_error("too late");
    });
    serving.start();
    client asking(serving.url());
    asking.get("/users/7?a=b", {.headers = {{"X-Request-Id", "mine"}}});
    asking.get("/dull");
    asking.get("/pieces");
    asking.get("/nowhere");
    EXPECT_THROW(asking.get("/cut"), error);
    serving.stop();
    std::vector<log::record> served;
    for (log::record& one : records.take()) {
      if (one.message == "http: served") served.push_back(std::move(one));
    }
    ASSERT_EQ(served.size(), 4u);
    EXPECT_EQ(field_of(served[0], "method"), "GET");
    EXPECT_EQ(field_of(served[0], "target"), "/users/7?a=b");
    EXPECT_EQ(field_of(served[0], "route"), "/users/{id}");
    EXPECT_EQ(field_of(served[0], "status"), "200");
    EXPECT_EQ(field_of(served[0], "bytes"), "4");
    EXPECT_EQ(field_of(served[0], "id"), "mine");
    EXPECT_EQ(field_of(served[0], "peer").find("127.0.0.1:"), 0u);
    EXPECT_EQ(field_of(served[1], "status"), "201");
    EXPECT_EQ(field_of(served[1], "bytes"), "6");
    EXPECT_EQ(field_of(served[2], "status"), "404");
    EXPECT_EQ(field_of(served[3], "target"), "/cut");
  });
}

TEST(http_health, is_ready_where_all_checks_pass_in_time) {
  run([] {
    health how;
    bool database = true;
    bool disk_throws = false;
    bool slow = false;
    event was_cancelled;
    how.add("database", [&] { return database; });
    how.add("disk", [&] { return disk_throws ? throw std::runtime_error("secret path") : true; });
    how.add(
        "neighbour",
        [&] {
          try {
            if (slow) sleep_for(std::chrono::hours(1));
          } catch (const cancelled&) {
            was_cancelled.set();
            throw;
          }
          return true;
        },
        std::chrono::milliseconds(20));
    server serving(on_any_port());
    how.serve_on(serving);
    serving.start();
    client asking(serving.url());
    EXPECT_EQ(asking.get("/livez").status(), 200);
    EXPECT_EQ(asking.get("/readyz").status(), 200);
    EXPECT_EQ(asking.get("/readyz").body(), "ready\ndatabase: ok\ndisk: ok\nneighbour: ok\n");
    EXPECT_EQ(asking.get("/readyz").header("Cache-Control"), "no-store");
    database = false;
    disk_throws = slow = true;
    EXPECT_EQ(asking.get("/readyz").status(), 503);
    EXPECT_EQ(asking.get("/readyz").body(), "not ready\ndatabase: failed\ndisk: failed\nneighbour: failed\n");
    EXPECT_TRUE(was_cancelled.wait_for(std::chrono::seconds(30)));
    database = true;
    disk_throws = slow = false;
    how.set_ready(false);
    EXPECT_EQ(asking.get("/readyz").status(), 503);
    EXPECT_EQ(asking.get("/livez").status(), 200);
    serving.stop();
  });
}

TEST(http_health, waits_no_longer_than_the_limit_for_a_check_that_cannot_be_cancelled) {
  run([] {
    health how;
    event answers;
    int runs = 0;
    how.add(
        "store",
        [&] {
          ++runs;
          shield([&] { answers.wait(); });
          return true;
        },
        std::chrono::milliseconds(20));
    {
      log::collector seen;
      EXPECT_EQ(how.look().status(), 503);  // without the limit it would not return
      EXPECT_EQ(how.look().body(), "not ready\nstore: failed\n");
      const std::vector<log::record> all = seen.take();
      ASSERT_EQ(all.size(), 2u);
      EXPECT_EQ(field_of(all[0], "why"), "it took longer than 20 ms");
      EXPECT_EQ(field_of(all[1], "why"), "an earlier run of it has passed its limit and goes on");
    }
    EXPECT_EQ(runs, 1) << "not begun again while it goes on";
    answers.set();
    const steady_time until = deadline_after(std::chrono::seconds(30));
    while (how.look().status() != 200) {
      ASSERT_LT(steady_clock::now(), until);
      yield();
    }
    EXPECT_EQ(runs, 2);
  });
}

TEST(http_health, a_check_that_passes_after_its_limit_without_having_waited_has_failed) {
  run([] {
    health how;
    how.add(
        "busy",
        [] {
          const auto until = steady_clock::now() + std::chrono::milliseconds(5);
          while (steady_clock::now() < until) continue;
          return true;
        },
        std::chrono::milliseconds(1));
    EXPECT_EQ(how.look().body(), "not ready\nbusy: failed\n");
  });
}

TEST(http_health, no_check_outlives_the_server) {
  run([] {
    health how;
    event answers;
    bool has_ended = false;
    fiber<void> answering;
    {
      server serving(on_any_port());
      how.add(
          "store",
          [&] {
            shield([&] { answers.wait(); });
            has_ended = true;
            return true;
          },
          std::chrono::milliseconds(20));
      how.serve_on(serving);
      serving.start();
      EXPECT_EQ(client(serving.url()).get("/readyz").status(), 503);
      EXPECT_TRUE(serving.stop());
      EXPECT_FALSE(has_ended);
      answering = go([&] { answers.set(); });
    }
    EXPECT_TRUE(has_ended);
    answering.join();
  });
}

TEST(http_health, is_not_ready_while_the_server_stops) {
  run([] {
    health how;
    server serving(on_any_port());
    how.serve_on(serving);
    event begun, go_on;
    serving.use("/readyz", [&](request&, response&, next& next) {
      begun.set();
      go_on.wait();
      next();
    });
    serving.start();
    raw_client asking(serving);
    asking.send("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    begun.wait();
    auto stopping = go([&] { serving.stop(); });
    while (!serving.is_stopping()) yield();
    go_on.set();
    const std::string got = asking.read_to_end();
    EXPECT_EQ(got.find("HTTP/1.1 503 "), 0u) << got;
    EXPECT_TRUE(got.ends_with("stopping\n")) << got;
    stopping.join();
  });
}

}  // namespace
}  // namespace weft::http
