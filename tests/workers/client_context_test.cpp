#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/codec/codec.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/log/collector.hpp>
#include <weft/log/log.hpp>
#include <weft/trace/propagation.hpp>
#include <weft/workers/client.hpp>

#include "workers/on_fiber.hpp"
#include "workers/test_program.hpp"

// What travels with a call, and what comes back with the answer.

namespace {

using namespace std::chrono_literals;
using weft::workers::client;
using weft_test::on_fiber;

TEST(client_context, context_travels_as_far_as_its_keys_say) {
  client pool;
  on_fiber([&] {
    const weft::scoped_value one(weft_test::request, "r-17");
    const weft::scoped_value other(weft_test::secret, "s-18");
    EXPECT_EQ(pool.call<std::string>("request"), "r-17");
    EXPECT_EQ(pool.call<std::string>("secret"), "none");
  });
}

TEST(client_context, trace_and_baggage_travel_and_records_show_them) {
  const std::vector<weft::trace::header> sent{
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"tracestate", "foo=1"},
      {"baggage", "a=b;p"}};
  client pool;
  on_fiber([&] {
    weft::log::collector log;
    weft::trace::from_headers(sent).run([&] {
      EXPECT_EQ(pool.call<std::string>("trace_headers"),
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 foo=1 a=b;p ");
      pool.call("say", "inside");
    });
    EXPECT_EQ(pool.call<std::string>("trace_headers"), "");
    const auto records = log.take();
    ASSERT_EQ(records.size(), 1U);
    ASSERT_EQ(records[0].context.size(), 2U);
    EXPECT_EQ(records[0].context[0].text, "b7ad6b7169203331");
    EXPECT_EQ(records[0].context[1].text, "0af7651916cd43dd8448eb211c80319c");
  });
}

TEST(client_context, the_deadline_travels) {
  client pool({.timeout = 1000s});
  on_fiber([&] {
    EXPECT_GT(pool.call<std::int64_t>("remaining_ms"), 500'000);
    weft::with_timeout(500s, [&] {
      const auto left = pool.call<std::int64_t>("remaining_ms");
      EXPECT_GT(left, 100'000);
      EXPECT_LE(left, 500'000);
    });
  });
}

TEST(client_context, log_records_join_the_callers_log) {
  client pool;
  on_fiber([&] {
    weft::log::collector log;
    const weft::scoped_value one(weft_test::request, "r-17");
    weft::log::info("before");
    auto held = pool.checkout();
    held.call("say", "inside");
    weft::log::info("after");
    const auto records = log.take();
    ASSERT_EQ(records.size(), 3U);
    EXPECT_EQ(records[0].message, "before");
    EXPECT_EQ(records[1].message, "inside");
    EXPECT_EQ(records[2].message, "after");
    EXPECT_EQ(records[1].process_id, held.worker_pid());
    ASSERT_EQ(records[1].context.size(), 1U);
    EXPECT_EQ(records[1].context[0].text, "r-17");
    ASSERT_EQ(records[1].fields.size(), 1U);
  });
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
