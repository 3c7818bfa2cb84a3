// The examples of docs/executors.md.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/executor/common_pool.hpp>
#include <weft/executor/executor.hpp>
#include <weft/executor/executor_factory.hpp>
#include <weft/executor/invoke.hpp>
#include <weft/executor/scheduled_pool.hpp>
#include <weft/executor/strand.hpp>
#include <weft/executor/thread.hpp>
#include <weft/executor/thread_pool.hpp>

namespace {

using namespace std::chrono_literals;

// example: executors_key
inline constexpr weft::key_spec user_spec{.name = "docs.executors_user"};
inline const weft::key<int> user{user_spec};
// end of example

int compute(int number) { return number * number; }

TEST(docs_executors, first) {
  // example: executors_first
  weft::thread_pool pool{{.threads = 4, .name = "numbers"}};
  const weft::scoped_value bound{user, 42};
  auto square = pool.submit([] { return compute(user.require()); });
  EXPECT_EQ(square.get(), 1764);
  // end of example
}

TEST(docs_executors, kinds) {
  // example: executors_kinds
  weft::thread_pool fixed{weft::thread_pool_options::fixed(8, "crunch")};
  weft::thread_pool cached{weft::thread_pool_options::cached(64, "files")};
  weft::thread_pool single{weft::thread_pool_options::single("journal")};
  weft::thread_pool bounded{{.threads = 2, .queue_max = 100, .full = weft::when_full::wait}};

  single.post([] { /* after what was posted before */ });
  single.post([] { /* before it, if that still waits */ }, {.name = "urgent", .priority = 10});
  // end of example
}

TEST(docs_executors, strand) {
  weft::thread_pool pool{{.threads = 2}};
  // example: executors_strand
  std::vector<std::string> lines;  // only the strand touches it
  const weft::strand journal(pool);
  journal.post([&] { lines.emplace_back("first"); });
  journal.post([&] { lines.emplace_back("second"); });
  EXPECT_EQ(journal.submit([&] { return lines.back(); }).get(), "second");
  // end of example
}

TEST(docs_executors, invoke) {
  weft::thread_pool pool{{.threads = 2}};
  // example: executors_invoke
  auto [number, text] = weft::invoke_all(
      pool, [] { return compute(3); }, [] { return std::string("nine"); });
  EXPECT_EQ(number, 9);
  EXPECT_EQ(text, "nine");

  const auto first = weft::invoke_any(
      pool, std::vector<std::function<int()>>{[]() -> int { throw std::runtime_error("not here"); },
                                              [] { return compute(4); }});
  EXPECT_EQ(first.index, 1U);
  EXPECT_EQ(first.value, 16);
  // end of example
}

TEST(docs_executors, scheduled) {
  // example: executors_scheduled
  weft::scheduled_pool clock;
  auto once = clock.once(1ms, [] { compute(5); });
  auto beat = clock.at_fixed_rate(0s, 10s, [] { compute(6); });
  auto poll = clock.with_fixed_delay(0s, 1ms, [] { throw std::runtime_error("the other side is gone"); });
  once.wait();
  poll.wait();
  EXPECT_EQ(poll.state(), weft::scheduled_state::failed);
  beat.cancel();
  // end of example
}

TEST(docs_executors, factory) {
  // example: executors_factory
  weft::executor_factory factory({.name = "shop", .on_uncaught = [](const weft::failed_task& what) {
                                    ADD_FAILURE() << what.executor << " lost an error of " << what.name;
                                  }});
  const auto mail = factory.make_pool({.threads = 2, .name = "mail"});
  const auto clock = factory.make_scheduled_pool();
  const weft::thread loop = factory.make_thread("loop", [] {
    while (!weft::cancellation_requested()) weft::common_pool().submit([] { compute(7); }).get();
  });
  mail->post([] { compute(8); });

  const weft::shutdown_report report = factory.shutdown(10ms, 10s);
  for (const auto& one : report.unfinished) {
    ADD_FAILURE() << one.executor << " still runs " << one.name << ", line " << one.submitted_at.line();
  }
  // end of example
}

TEST(docs_executors, behind) {
  weft::thread_pool pool{weft::thread_pool_options::single("lonely")};
  // example: executors_behind
  auto outer = pool.submit([&] {
    auto inner = pool.submit([] { return 1; });
    try {
      return inner.get();  // the only thread is here: inner could never begin
    } catch (const weft::error& refused) {
      EXPECT_EQ(refused.code(), weft::errc::deadlock);
      return 0;
    }
  });
  EXPECT_EQ(outer.get(), 0);
  // end of example
}

}  // namespace
