// The examples of docs/tracing.md.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <weft/closure/closure.hpp>
#include <weft/closure/services.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/server.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/log/log.hpp>
#include <weft/process/exec.hpp>
#include <weft/service/otlp_exporter.hpp>
#include <weft/trace/propagation.hpp>
#include <weft/trace/span.hpp>

namespace {

// example: trace_key
inline constexpr weft::key_spec tenant_spec{.name = "shop.tenant", .wire = weft::wire_policy::baggage};
inline const weft::key<std::string> tenant{tenant_spec};
// end of example

struct card {
  std::int64_t cents = 0;
};
std::string charge(const card& of) {
  if (of.cents < 0) throw std::invalid_argument("a charge of less than nothing");
  return "receipt";
}

/// The recorder of the process is put back.
class docs_tracing : public testing::Test {
 protected:
  ~docs_tracing() override { weft::trace::exchange_recorder(nullptr); }
};

TEST_F(docs_tracing, spans) {
  // example: trace_recorder
  auto recorder = std::make_shared<weft::trace::recorder>(weft::trace::recorder_options{.spans_max = 1000});
  weft::trace::exchange_recorder(recorder);  // at the start of the program
  // end of example
  const card paid_with{1999};
  // example: trace_span
  weft::run([&] {
    weft::trace::span order("place order", {{"items", 3}});
    auto receipt = weft::go([&] {
      weft::trace::span step("charge card", {{"cents", paid_with.cents}},
                             {.kind = weft::trace::span_kind::client});
      weft::log::info("charging");  // the record has trace_id and span_id
      return charge(paid_with);
    });
    order.set({{"receipt", receipt.join()}});
  });
  // end of example
  // example: trace_drain
  for (const weft::trace::finished_span& one : recorder->drain()) {
    const auto took = one.end - one.start;
    weft::log::info(one.name, {{"trace", to_string(one.context.trace)}, {"nanoseconds", took.count()}});
  }
  // end of example
  EXPECT_EQ(recorder->recorded(), 2U);
}

TEST_F(docs_tracing, failures) {
  auto recorder = std::make_shared<weft::trace::recorder>();
  weft::trace::exchange_recorder(recorder);
  const card refused{-1};
  const auto place_order = [&] {
    // example: trace_in_span
    return weft::trace::in_span("charge card", {{"cents", refused.cents}}, [&](weft::trace::span& step) {
      step.event("bank was called", {{"try", 1}});
      return charge(refused);
    });
    // end of example
  };
  EXPECT_THROW(place_order(), std::invalid_argument);
  const auto all = recorder->drain();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].status, weft::trace::span_status::error);
  EXPECT_EQ(all[0].status_message, "a charge of less than nothing");
}

TEST_F(docs_tracing, headers) {
  auto recorder = std::make_shared<weft::trace::recorder>();
  weft::trace::exchange_recorder(recorder);
  const std::multimap<std::string, std::string> came{
      {"Host", "shop.example"},
      {"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"Baggage", "shop.tenant=acme, campaign=spring;ttl=3"}};
  std::vector<std::pair<std::string, std::string>> sent;
  // example: trace_headers
  weft::trace::from_headers(came).run([&] {
    weft::trace::span request("GET /cart", {}, {.kind = weft::trace::span_kind::server});
    EXPECT_EQ(tenant.require(), "acme");
    for (auto& [name, value] : weft::trace::to_headers()) sent.emplace_back(name, value);
  });
  // end of example
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].second.substr(0, 36), "00-0af7651916cd43dd8448eb211c80319c-");
  EXPECT_EQ(sent[1].second, "shop.tenant=acme,campaign=spring;ttl=3");
}

TEST_F(docs_tracing, children) {
  auto recorder = std::make_shared<weft::trace::recorder>();
  weft::trace::exchange_recorder(recorder);
  weft::run([] {
    // example: trace_child
    weft::trace::span step("resize pictures");
    const auto seen = weft::exec({"/bin/sh", "-c", "echo $TRACEPARENT"});
    EXPECT_EQ(seen.out, weft::trace::to_traceparent(*weft::trace::current()) + "\n");
    // end of example
  });
  // example: trace_environment
  const auto started_by = weft::trace::from_environment().attach();
  // end of example
  EXPECT_EQ(weft::trace::current(), nullptr);
}

TEST_F(docs_tracing, exporter) {
  weft::run([] {
    weft::http::server collector{{.listen = "127.0.0.1:0"}};
    std::string got;
    collector.post("/v1/traces", [&](weft::http::request& in) { got += in.body(); });
    collector.start();
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url().c_str(), 1);
    // example: trace_otlp
    auto recorder = std::make_shared<weft::trace::recorder>();
    weft::trace::exchange_recorder(recorder);
    weft::otlp_exporter exporter(recorder, weft::otlp_options::from_environment());
    // end of example
    unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
    { const weft::trace::span step("resize pictures"); }
    EXPECT_TRUE(exporter.flush(std::chrono::minutes(1)));
    EXPECT_NE(got.find("\"name\":\"resize pictures\""), std::string::npos) << got;
    weft::trace::exchange_recorder(nullptr);
    collector.stop();
  });
}

TEST_F(docs_tracing, jobs) {
  auto recorder = std::make_shared<weft::trace::recorder>();
  weft::trace::exchange_recorder(recorder);
  weft::jobs::queue_options options;
  options.keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("k"));
  weft::jobs::queue queue("memory:", std::move(options));
  weft::services app;
  weft::run([&] {
    const weft::closure welcome{weft::named_closure<"docs.welcome">([](std::string) {}), std::string("ann")};
    const weft::closure invoice{weft::named_closure<"docs.invoice">([](std::int64_t) {}), std::int64_t{7}};
    // example: trace_jobs
    weft::trace::span order("place order");
    queue.push(welcome);                                           // linked: a trace for each attempt
    queue.push(invoice, {.trace = weft::jobs::job_trace::child});  // in this trace
    // end of example
    weft::jobs::worker(queue, app).run_due();
  });
  const auto all = recorder->drain();
  ASSERT_EQ(all.size(), 3U);
  int links = 0;
  for (const auto& one : all) links += static_cast<int>(one.links.size());
  EXPECT_EQ(links, 1);
}

}  // namespace
