#include <weft/executor/thread_pool.hpp>

#include <gtest/gtest.h>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>
#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <iterator>
#include <latch>
#include <set>
#include <source_location>
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
  std::promise<void> reported;
  auto running = pool.submit([&] {
    started = true;
    try {
      stuck_on.get();
    } catch (const weft::cancelled&) {
      reported.get_future().wait();  // or it may have ended by then
      throw;
    }
  });
  while (!started) std::this_thread::yield();
  auto queued = pool.submit([] {});
  const auto report = pool.shutdown(5ms);
  reported.set_value();
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

/// Holds the only thread of a pool until it is told to go on.
class held_thread {
 public:
  explicit held_thread(weft::thread_pool& pool)
      : held_(pool.submit([this] {
          inside_.count_down();
          open_.wait();
        })) {
    inside_.wait();
  }
  held_thread(const held_thread&) = delete;
  held_thread& operator=(const held_thread&) = delete;
  ~held_thread() { release(); }
  void release() {
    if (!held_.valid()) return;
    open_.count_down();
    held_.get();
  }

 private:
  std::latch inside_{1};
  std::latch open_{1};
  weft::future<void> held_;
};

TEST(thread_pool, starts_the_larger_priority_first_and_keeps_the_order_among_equals) {
  weft::thread_pool pool{weft::thread_pool_options::single()};
  std::vector<int> order;
  {
    const held_thread held(pool);
    for (int i = 0; i < 300; ++i) {
      const weft::task_options options{.priority = i % 3 - 1};
      if (i % 2 == 0) {
        pool.post([&order, i] { order.push_back(i); }, options);
      } else {
        auto forgotten = pool.submit([&order, i] { order.push_back(i); }, options);
      }
    }
  }
  pool.shutdown(1min);
  std::vector<int> expected;
  for (const int residue : {2, 1, 0}) {
    for (int i = residue; i < 300; i += 3) expected.push_back(i);
  }
  EXPECT_EQ(order, expected);
}

TEST(thread_pool, refuses_a_priority_out_of_range) {
  weft::thread_pool pool{{.threads = 1}};
  EXPECT_THROW(pool.post([] {}, {.priority = 32}), weft::error);
  EXPECT_THROW(pool.submit([] {}, {.priority = -33}), weft::error);
  pool.submit([] {}, {.priority = 31}).get();
}

TEST(thread_pool, a_poster_waits_for_room_first_come_first_served) {
  weft::thread_pool pool{{.threads = 1, .queue_max = 1, .full = weft::when_full::wait}};
  std::vector<int> order;
  std::vector<std::thread> posters;
  {
    const held_thread held(pool);
    pool.post([&] { order.push_back(0); });
    for (int i = 1; i <= 3; ++i) {
      std::atomic<bool> posting{false};
      posters.emplace_back([&, i] {
        posting = true;
        pool.post([&order, i] { order.push_back(i); });
      });
      while (!posting) std::this_thread::yield();
      EXPECT_EQ(pool.queued(), 1U);
    }
  }
  for (auto& one : posters) one.join();
  pool.shutdown(1min);
  EXPECT_EQ(order.size(), 4U);
  EXPECT_EQ(order[0], 0);
}

TEST(thread_pool, a_wait_for_room_can_be_cancelled_and_ends_when_the_pool_closes) {
  weft::thread_pool pool{{.threads = 1, .queue_max = 1, .full = weft::when_full::wait}};
  held_thread held(pool);
  pool.post([] {});
  EXPECT_THROW(weft::with_timeout(2ms, [&] { pool.post([] {}); }), weft::deadline_exceeded);
  weft::errc told = weft::errc::unknown;
  std::atomic<bool> posting{false};
  std::thread poster([&] {
    posting = true;
    try {
      pool.post([] {});
    } catch (const weft::error& refused) {
      told = refused.code();
    }
  });
  while (!posting) std::this_thread::yield();
  pool.close();
  poster.join();
  EXPECT_EQ(told, weft::errc::closed);
  held.release();
}

TEST(thread_pool, a_task_of_the_pool_does_not_wait_for_room_in_it) {
  weft::thread_pool pool{{.threads = 1, .queue_max = 1, .full = weft::when_full::wait}};
  auto told = pool.submit([&] {
    pool.post([] {});
    try {
      pool.post([] {});
    } catch (const weft::error& refused) {
      return refused.code();
    }
    return weft::errc::unknown;
  });
  EXPECT_EQ(told.get(), weft::errc::resource_exhausted);
}

TEST(thread_pool, runs_what_finds_no_room_in_the_caller_who_cannot_tell) {
  weft::thread_pool pool{{.threads = 1, .queue_max = 1, .full = weft::when_full::run_here}};
  const held_thread held(pool);
  pool.post([] {});
  const weft::scoped_value bound{tenant, 3};
  std::thread::id ran_on;
  auto done = pool.submit([&] {
    ran_on = std::this_thread::get_id();
    EXPECT_TRUE(weft::current_executor() == pool);
    const weft::scoped_value inner{tenant, 4};
    return tenant.value_or(0);
  });
  EXPECT_TRUE(done.ready());
  EXPECT_EQ(done.get(), 4);
  EXPECT_TRUE(ran_on == std::this_thread::get_id());
  EXPECT_EQ(tenant.value_or(0), 3);
  EXPECT_FALSE(pool.runs_caller());
}

TEST(thread_pool, that_runs_tasks_in_the_caller_goes_only_so_deep) {
  weft::thread_pool pool{{.threads = 1, .queue_max = 1, .full = weft::when_full::run_here}};
  const held_thread held(pool);
  pool.post([] {});
  int depth = 0;
  std::function<void()> deeper = [&] {
    ++depth;
    pool.post(deeper);
  };
  const auto nothing = [](const weft::failed_task&) {};
  weft::set_uncaught_handler(nothing);
  pool.post(deeper);
  weft::set_uncaught_handler({});
  EXPECT_GE(depth, 32);
  EXPECT_LE(depth, 33);
}

TEST(thread_pool, a_cached_one_makes_a_thread_when_none_is_free_and_ends_it_when_it_was_idle) {
  weft::thread_pool pool{{.threads = 3, .idle_max = 1ms}};
  EXPECT_EQ(pool.threads(), 0U);
  std::latch inside(3);
  std::latch open(1);
  std::vector<weft::future<void>> done;
  for (int i = 0; i < 3; ++i) {
    done.push_back(pool.submit([&] {
      inside.count_down();
      open.wait();
    }));
  }
  inside.wait();  // so there is a thread for each
  EXPECT_EQ(pool.threads(), 3U);
  auto fourth = pool.submit([] {});
  EXPECT_EQ(pool.threads(), 3U);
  EXPECT_EQ(pool.queued(), 1U);
  open.count_down();
  for (auto& one : done) one.get();
  fourth.get();
  while (pool.threads() > 0) std::this_thread::yield();
  EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
}

TEST(thread_pool, a_cached_one_keeps_the_threads_it_is_told_to) {
  weft::thread_pool pool{{.threads = 4, .idle_max = 1ms, .threads_kept = 1}};
  std::latch inside(4);
  for (int i = 0; i < 4; ++i) pool.post([&] { inside.arrive_and_wait(); });
  inside.wait();
  while (pool.threads() > 1) std::this_thread::yield();
  EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
  while (pool.threads() > 1) std::this_thread::yield();  // the one may not have been free yet
  EXPECT_EQ(pool.threads(), 1U);
}

TEST(thread_pool, a_cached_one_loses_nothing_while_its_threads_come_and_go) {
  weft::thread_pool pool{{.threads = 3, .idle_max = 1ms}};
  std::atomic<int> ran{0};
  std::vector<std::thread> posters;
  for (int t = 0; t < 3; ++t) {
    posters.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        pool.submit([&] { ++ran; }).get();
        if (i % 50 == 0) {
          while (pool.threads() > 1) std::this_thread::yield();
        }
      }
    });
  }
  for (auto& one : posters) one.join();
  EXPECT_EQ(ran, 600);
}

TEST(thread_pool, shutdown_names_what_still_runs) {
  weft::thread_pool pool{weft::thread_pool_options::single("stubborn")};
  std::latch inside(1);
  std::latch open(1);
  pool.post(
      [&] {
        inside.count_down();
        open.wait();  // does not see that it is cancelled
      },
      {.name = "deaf"});
  const auto line = std::source_location::current().line();
  inside.wait();
  const auto report = pool.shutdown(0ms, 1ms);
  open.count_down();
  ASSERT_EQ(report.unfinished.size(), 1U);
  EXPECT_EQ(report.unfinished[0].executor, "stubborn");
  EXPECT_EQ(report.unfinished[0].name, "deaf");
  EXPECT_LT(line - report.unfinished[0].submitted_at.line(), 8U);
  EXPECT_GT(report.unfinished[0].running_for.count(), 0);
}

TEST(thread_pool, shutdown_gives_what_it_cancelled_time_to_end) {
  weft::promise<void> never;
  auto stuck_on = never.get_future();
  std::latch inside(1);
  weft::thread_pool pool{weft::thread_pool_options::single()};
  pool.post([&] {
    inside.count_down();
    stuck_on.get();
  });
  inside.wait();
  const auto report = pool.shutdown(0ms, 1min);
  EXPECT_EQ(report.running_tasks, 0U);
  EXPECT_TRUE(report.unfinished.empty());
}

TEST(thread_pool, a_task_cannot_shut_its_pool_down_but_close_it) {
  weft::thread_pool pool{weft::thread_pool_options::single()};
  EXPECT_THROW(pool.submit([&] { pool.shutdown(1min); }).get(), weft::error);
  pool.submit([&] { pool.close(); }).get();
  EXPECT_THROW(pool.post([] {}), weft::error);
}

}  // namespace
