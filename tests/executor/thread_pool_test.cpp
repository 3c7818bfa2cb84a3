#include <weft/executor/thread_pool.hpp>

#include <gtest/gtest.h>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>
#include <atomic>
#include <filesystem>
#include <iterator>
#include <latch>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/metrics/registry.hpp>

#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec tenant_spec{.name = "test.pool_tenant"};
const weft::key<int> tenant{tenant_spec};

TEST(thread_pool, runs_what_is_submitted_and_gives_its_result) {
  weft::thread_pool pool{{.threads = 2}};
  auto sum = pool.submit([] { return 40 + 2; });
  auto failure = pool.submit([]() -> int { throw std::out_of_range("no"); });
  EXPECT_EQ(sum.get(), 42);
  EXPECT_THROW(failure.get(), std::out_of_range);
}

TEST(thread_pool, starts_tasks_in_the_order_of_submission) {
  weft::thread_pool pool{{.threads = 1}};
  std::vector<int> order;
  std::vector<weft::future<void>> done;
  for (int i = 0; i < 100; ++i) done.push_back(pool.submit([&order, i] { order.push_back(i); }));
  for (auto& one : done) one.get();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(thread_pool, a_task_sees_the_context_of_its_submission_and_leaves_none_behind) {
  weft::thread_pool pool{{.threads = 1}};
  weft::future<int> inside;
  {
    const weft::scoped_value bound{tenant, 9};
    inside = pool.submit([] { return tenant.value_or(0); });
  }
  EXPECT_EQ(inside.get(), 9);
  EXPECT_EQ(pool.submit([] { return tenant.value_or(0); }).get(), 0);
}

TEST(thread_pool, a_task_runs_under_the_deadline_of_its_submitter) {
  weft::thread_pool pool{{.threads = 1}};
  auto left =
      weft::with_timeout(1h, [&] { return pool.submit([] { return weft::remaining().has_value(); }); });
  EXPECT_TRUE(left.get());
}

TEST(thread_pool, refuses_work_above_its_queue_bound) {
  weft::thread_pool pool{{.threads = 1, .queue_max = 1}};
  weft::promise<void> gate;
  auto opened = gate.get_future();
  std::atomic<bool> started{false};
  auto first = pool.submit([&] {
    started = true;
    opened.get();
  });
  while (!started) std::this_thread::yield();
  auto second = pool.submit([] {});
  try {
    pool.submit([] {});
    FAIL() << "the third task was accepted";
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), weft::errc::resource_exhausted);
  }
  gate.set_value();
  first.get();
  second.get();
}

TEST(thread_pool, shutdown_lets_queued_tasks_run) {
  weft::thread_pool pool{{.threads = 2}};
  std::atomic<int> ran{0};
  std::vector<weft::future<void>> done;
  for (int i = 0; i < 50; ++i) done.push_back(pool.submit([&] { ++ran; }));
  const auto report = pool.shutdown(1min);
  EXPECT_EQ(ran, 50);
  EXPECT_EQ(report.dropped_tasks, 0U);
  EXPECT_EQ(report.running_tasks, 0U);
  EXPECT_THROW(pool.submit([] {}), weft::error);
}

TEST(thread_pool, shutdown_cancels_what_runs_and_drops_what_waits_at_its_bound) {
  weft::thread_pool pool{{.threads = 1}};
  weft::promise<void> never;
  auto stuck_on = never.get_future();
  std::atomic<bool> started{false};
  auto running = pool.submit([&] {
    started = true;
    stuck_on.get();
  });
  while (!started) std::this_thread::yield();
  auto queued = pool.submit([] {});
  const auto report = pool.shutdown(5ms);
  EXPECT_EQ(report.dropped_tasks, 1U);
  EXPECT_EQ(report.running_tasks, 1U);
  EXPECT_THROW(queued.get(), weft::cancelled);
  EXPECT_THROW(running.get(), weft::cancelled);
  never.set_value();
}

/// Ends the process with status 0 if a pool of too many threads is refused and leaves no thread behind.
[[noreturn]] void make_a_pool_without_memory() {
  alarm(30);
  const rlimit little{512U << 20U, 512U << 20U};
  setrlimit(RLIMIT_AS, &little);
  try {
    const weft::thread_pool pool{{.threads = 1000}};
  } catch (const std::exception&) {
    while (std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}) > 1) sched_yield();
    _exit(0);
  }
  _exit(1);
}

TEST(thread_pool_death, that_cannot_have_all_its_threads_throws_and_keeps_none) {
  if (sanitized) GTEST_SKIP() << "the sanitizers take more address space than the limit";
  EXPECT_EXIT(make_a_pool_without_memory(), testing::ExitedWithCode(0), "");
}

TEST(thread_pool, many_submitters_lose_nothing) {
  weft::thread_pool pool{{.threads = 2}};
  std::atomic<int> ran{0};
  std::vector<std::thread> submitters;
  for (int t = 0; t < 4; ++t) {
    submitters.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) pool.submit([&] { ++ran; });
    });
  }
  for (auto& one : submitters) one.join();
  pool.shutdown(1min);
  EXPECT_EQ(ran, 4000);
}

TEST(thread_pool, shows_itself_in_the_metrics_while_it_lives) {
  const auto snapshot = [] { return weft::metrics::default_registry().take_snapshot(); };
  {
    weft::thread_pool pool{{.threads = 1, .name = "metrics_test", .queue_max = 2}};
    std::latch inside(1);
    std::latch open(1);
    auto running = pool.submit([&] {
      inside.count_down();
      open.wait();
    });
    inside.wait();
    auto second = pool.submit([] {});
    auto third = pool.submit([] {});
    EXPECT_THROW(pool.submit([] {}), weft::error);
    const auto now = snapshot();
    EXPECT_EQ(now.find("weft_pool_threads", {"metrics_test"})->value, 1);
    EXPECT_EQ(now.find("weft_pool_tasks_running", {"metrics_test"})->value, 1);
    EXPECT_EQ(now.find("weft_pool_tasks_queued", {"metrics_test"})->value, 2);
    EXPECT_GE(now.find("weft_pool_refused_tasks_total", {"metrics_test"})->value, 1);  // more when repeated
    open.count_down();
    third.get();
  }
  const auto after = snapshot();
  EXPECT_EQ(after.find("weft_pool_threads", {"metrics_test"}), nullptr);
  EXPECT_EQ(after.find("weft_pool_queue_wait_seconds", {"metrics_test"})->histogram.count() % 3, 0U);
  EXPECT_GE(after.find("weft_pool_queue_wait_seconds", {"metrics_test"})->histogram.count(), 3U);
}

}  // namespace
