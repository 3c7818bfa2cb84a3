#include <weft/executor/executor.hpp>

#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/executor/common_pool.hpp>
#include <weft/executor/strand.hpp>
#include <weft/executor/thread_pool.hpp>

#include "support/uncaught_errors.hpp"

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec tenant_spec{.name = "test.executor_tenant"};
const weft::key<int> tenant{tenant_spec};

std::string what_is_thrown(const auto& work) {
  try {
    work();
  } catch (const weft::error& thrown) {
    return std::string(weft::to_string(thrown.code())) + ": " + thrown.what();
  }
  return "nothing";
}

TEST(executor, a_pool_is_one_and_its_handle_keeps_what_it_refers_to) {
  auto pool = std::make_unique<weft::thread_pool>(weft::thread_pool_options::fixed(2, "handled"));
  const weft::executor handle = *pool;
  EXPECT_EQ(handle.name(), "handled");
  EXPECT_EQ(handle.concurrency(), 2U);
  EXPECT_EQ(handle.submit([] { return 7; }).get(), 7);
  pool.reset();
  EXPECT_THROW(handle.post([] {}), weft::error);
}

TEST(executor, a_posted_task_sees_the_context_of_its_poster) {
  weft::thread_pool pool{{.threads = 1}};
  int seen = 0;
  weft::with(tenant, 5, [&] { pool.post([&] { seen = tenant.value_or(0); }); });
  pool.shutdown(1min);
  EXPECT_EQ(seen, 5);
}

TEST(executor, the_captures_of_a_task_end_in_the_root_context_before_its_result_is_there) {
  weft::thread_pool pool{{.threads = 1}};
  int seen = -1;
  struct looks {
    int* to;
    explicit looks(int* where) : to(where) {}
    looks(looks&& other) noexcept : to(std::exchange(other.to, nullptr)) {}
    ~looks() {
      if (to != nullptr) *to = tenant.value_or(0);
    }
  };
  auto done = weft::with(tenant, 5, [&] { return pool.submit([held = looks(&seen)] {}); });
  done.get();
  EXPECT_EQ(seen, 0);
}

TEST(executor, a_result_is_there_only_after_the_thread_has_dropped_the_context) {
  constexpr static weft::key_spec spec{.name = "test.executor_shared"};
  static const weft::key<std::shared_ptr<int>> shared{spec};
  weft::thread_pool pool{{.threads = 1}};
  const auto value = std::make_shared<int>(1);
  for (int i = 0; i < 100; ++i) {
    auto done = weft::with(shared, value, [&] { return pool.submit([] {}); });
    done.get();
    EXPECT_EQ(value.use_count(), 1);
  }
}

TEST(current_executor, is_the_pool_of_a_task_and_the_common_pool_elsewhere) {
  weft::thread_pool pool{{.threads = 1}};
  EXPECT_TRUE(weft::current_executor() == weft::common_pool());
  EXPECT_TRUE(pool.submit([] { return weft::current_executor(); }).get() == pool);
  EXPECT_FALSE(pool.runs_caller());
  EXPECT_TRUE(pool.submit([&] { return pool.runs_caller(); }).get());
}

TEST(current_executor, does_not_travel_with_the_context) {
  weft::thread_pool first{{.threads = 1}};
  weft::thread_pool second{{.threads = 1}};
  auto inside = first.submit([&] { return second.submit([] { return weft::current_executor(); }); });
  EXPECT_TRUE(inside.get().get() == second);
}

TEST(common_pool, cannot_be_shut_down) {
  EXPECT_NE(what_is_thrown([] {
              weft::common_pool().shutdown(0ms);
            }).find("misuse: thread_pool::shutdown: common_pool"),
            std::string::npos);
  EXPECT_NE(what_is_thrown([] { weft::common_pool().close(); }).find("misuse"), std::string::npos);
  EXPECT_EQ(weft::common_pool().submit([] { return 3; }).get(), 3);
}

TEST(executor, reports_what_a_posted_task_throws_once_and_in_its_context) {
  const uncaught_errors seen([] { return tenant.value_or(0); });
  weft::thread_pool pool{weft::thread_pool_options::single("failing")};
  weft::with(tenant, 8, [&] { pool.post([] { throw std::runtime_error("lost"); }, {.name = "loser"}); });
  pool.post([] { throw weft::cancelled(weft::cancel_reason::requested); });
  pool.shutdown(1min);
  ASSERT_EQ(seen.all().size(), 1U);
  EXPECT_EQ(seen.all()[0].text, "lost");
  EXPECT_EQ(seen.all()[0].executor, "failing");
  EXPECT_EQ(seen.all()[0].task, "loser");
  EXPECT_EQ(seen.all()[0].mark, 8);
}

TEST(executor, reports_an_error_of_a_dropped_future_once_and_in_the_context_of_the_task) {
  const uncaught_errors seen([] { return tenant.value_or(0); });
  weft::thread_pool pool{{.threads = 1}};
  auto failing =
      weft::with(tenant, 4, [&] { return pool.submit([] { throw std::runtime_error("dropped"); }); });
  failing.wait();
  EXPECT_TRUE(seen.all().empty());
  { const auto gone = std::move(failing); }
  pool.shutdown(1min);  // its thread may have had the last reference
  ASSERT_EQ(seen.all().size(), 1U);
  EXPECT_EQ(seen.all()[0].mark, 4);
}

TEST(executor, does_not_report_an_error_that_somebody_took) {
  const uncaught_errors seen([] { return 0; });
  weft::thread_pool pool{{.threads = 1}};
  auto failing = pool.submit([] { throw std::runtime_error("taken"); });
  EXPECT_THROW(failing.get(), std::runtime_error);
  pool.shutdown(1min);
  EXPECT_TRUE(seen.all().empty());
}

TEST(executor, a_pool_may_have_a_handler_of_its_own) {
  const uncaught_errors of_process([] { return 0; });
  std::string seen;
  weft::thread_pool pool{
      {.threads = 1, .on_uncaught = [&](const weft::failed_task& what) { seen = what.name; }}};
  pool.post([] { throw std::runtime_error("lost"); }, {.name = "mine"});
  pool.shutdown(1min);
  EXPECT_EQ(seen, "mine");
  EXPECT_TRUE(of_process.all().empty());
}

TEST(inline_executor, runs_at_once_in_the_context_of_the_poster_and_restores_it) {
  const weft::scoped_value bound{tenant, 1};
  int seen = 0;
  weft::inline_executor().post([&] {
    const weft::scoped_value inner{tenant, 2};
    seen = tenant.value_or(0);
  });
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(tenant.value_or(0), 1);
  EXPECT_EQ(weft::inline_executor().submit([] { return tenant.value_or(0); }).get(), 1);
  EXPECT_TRUE(weft::inline_executor().submit([] { return weft::current_executor(); }).get() ==
              weft::inline_executor());
}

TEST(inline_executor, goes_no_deeper_than_its_bound) {
  int ran = 0;
  int depth = 0;
  int deepest = 0;
  std::function<void()> next = [&] {
    deepest = std::max(deepest, ++depth);
    if (++ran < 10'000) weft::inline_executor().post(next);
    --depth;
  };
  weft::inline_executor().post(next);
  EXPECT_EQ(ran, 10'000);
  EXPECT_LE(deepest, 33);
}

TEST(inline_executor, too_deep_a_wait_for_a_task_is_refused) {
  std::string told = "nothing";
  std::function<void(int)> nest = [&](int left) {
    auto inner = weft::inline_executor().submit([&, left] {
      if (left > 0) nest(left - 1);
    });
    if (!inner.ready()) told = what_is_thrown([&] { inner.get(); });
  };
  nest(100);
  EXPECT_NE(told.find("deadlock: "), std::string::npos) << told;
}

TEST(self_wait, for_a_task_queued_behind_oneself_on_one_thread_is_refused_and_names_both) {
  weft::thread_pool pool{weft::thread_pool_options::single("lonely")};
  auto outer = pool.submit(
      [&] {
        auto inner = pool.submit([] { return 1; }, {.name = "behind"});
        return what_is_thrown([&] { inner.get(); });
      },
      {.name = "ahead"});
  const std::string told = outer.get();
  EXPECT_NE(told.find("deadlock: "), std::string::npos) << told;
  EXPECT_NE(told.find("\"ahead\""), std::string::npos) << told;
  EXPECT_NE(told.find("\"behind\""), std::string::npos) << told;
  EXPECT_NE(told.find("\"lonely\""), std::string::npos) << told;
}

TEST(self_wait, for_ones_own_result_is_refused) {
  weft::thread_pool pool{{.threads = 2}};
  weft::future<std::string> own;
  std::latch set(1);
  std::string told;
  own = pool.submit([&] {
    set.wait();
    told = what_is_thrown([&] { own.wait(); });
    return std::string("done");
  });
  set.count_down();
  pool.shutdown(1min);
  EXPECT_EQ(own.get(), "done");
  EXPECT_NE(told.find("deadlock: "), std::string::npos) << told;
}

TEST(self_wait, with_a_bound_ends_at_it) {
  weft::thread_pool pool{weft::thread_pool_options::single()};
  EXPECT_FALSE(pool.submit([&] { return pool.submit([] {}).wait_for(1ms); }).get());
}

TEST(self_wait, through_a_strand_of_the_callers_only_thread_is_refused) {
  weft::thread_pool pool{weft::thread_pool_options::single()};
  const weft::strand line(pool);
  auto on_pool = pool.submit([&] { return what_is_thrown([&] { line.submit([] {}).get(); }); });
  EXPECT_NE(on_pool.get().find("deadlock"), std::string::npos);
  auto on_strand = line.submit([&] { return what_is_thrown([&] { pool.submit([] {}).get(); }); });
  EXPECT_NE(on_strand.get().find("deadlock"), std::string::npos);
}

TEST(self_wait, a_task_of_another_thread_may_be_waited_for) {
  weft::thread_pool pool{{.threads = 2}};
  EXPECT_EQ(pool.submit([&] { return pool.submit([] { return 2; }).get(); }).get(), 2);
}

TEST(strand, runs_its_tasks_in_order_and_never_two_at_once) {
  weft::thread_pool pool{{.threads = 4}};
  const weft::strand line(pool);
  std::vector<int> order;  // no lock
  for (int i = 0; i < 1000; ++i) line.post([&order, i] { order.push_back(i); });
  line.submit([] {}).get();
  ASSERT_EQ(order.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(strand, of_many_posters_runs_one_task_at_a_time) {
  weft::thread_pool pool{{.threads = 3}};
  const weft::strand line(pool);
  int counted = 0;  // no lock
  std::vector<std::thread> posters;
  for (int t = 0; t < 4; ++t) {
    posters.emplace_back([&] {
      for (int i = 0; i < 500; ++i) line.post([&] { ++counted; });
    });
  }
  for (auto& one : posters) one.join();
  line.submit([] {}).get();
  EXPECT_EQ(counted, 2000);
}

TEST(strand, leaves_the_thread_to_others_between_its_turns) {
  weft::thread_pool pool{weft::thread_pool_options::single()};
  const weft::strand line(pool);
  std::latch posted(1);
  std::vector<std::string> order;
  pool.post([&] { posted.wait(); });
  for (int i = 0; i < 40; ++i) line.post([&] { order.emplace_back("strand"); });
  auto other = pool.submit([&] { order.emplace_back("other"); });
  posted.count_down();
  other.get();
  line.submit([] {}).get();
  EXPECT_EQ(order[16], "other");
  EXPECT_EQ(order.size(), 41U);
}

TEST(strand, keeps_the_context_of_each_poster) {
  weft::thread_pool pool{{.threads = 2}};
  const weft::strand line(pool);
  auto first = weft::with(tenant, 1, [&] { return line.submit([] { return tenant.value_or(0); }); });
  auto second = line.submit([] { return tenant.value_or(0); });
  EXPECT_EQ(first.get(), 1);
  EXPECT_EQ(second.get(), 0);
  EXPECT_TRUE(line.submit([] { return weft::current_executor(); }).get() == line);
}

TEST(strand, goes_on_after_a_task_that_throws) {
  const uncaught_errors seen([] { return 0; });
  weft::thread_pool pool{{.threads = 1}};
  const weft::strand line(pool);
  line.post([] { throw std::runtime_error("one"); });
  EXPECT_EQ(line.submit([] { return 2; }).get(), 2);
  EXPECT_EQ(seen.all().size(), 1U);
}

TEST(strand, refuses_above_its_bound_and_when_its_executor_is_closed) {
  weft::thread_pool pool{weft::thread_pool_options::single()};
  const weft::strand line(pool, 1);
  std::latch open(1);
  std::latch inside(1);
  line.post([&] {
    inside.count_down();
    open.wait();
  });
  inside.wait();
  line.post([] {});
  EXPECT_NE(what_is_thrown([&] { line.post([] {}); }).find("resource_exhausted"), std::string::npos);
  open.count_down();
  pool.shutdown(1min);
  EXPECT_NE(what_is_thrown([&] { line.post([] {}); }).find("closed"), std::string::npos);
}

TEST(strand, all_that_was_posted_runs_although_its_pool_is_closed) {
  std::atomic<int> ran{0};
  {
    weft::thread_pool pool{weft::thread_pool_options::single()};
    const weft::strand line(pool);
    std::latch posted(1);
    pool.post([&] { posted.wait(); });
    for (int i = 0; i < 100; ++i) line.post([&] { ++ran; });
    pool.close();
    posted.count_down();
  }
  EXPECT_EQ(ran, 100);
}

TEST(strand, what_its_pool_drops_will_not_run) {
  weft::promise<void> never;
  auto stuck_on = never.get_future();
  std::latch inside(1);
  weft::thread_pool pool{weft::thread_pool_options::single()};
  const weft::strand line(pool);
  pool.post([&] {
    inside.count_down();
    stuck_on.get();
  });
  inside.wait();
  auto first = line.submit([] {});
  auto second = line.submit([] {});
  pool.shutdown(0ms);
  EXPECT_THROW(first.get(), weft::cancelled);
  EXPECT_THROW(second.get(), weft::cancelled);
}

TEST(strand, runs_although_its_handle_is_gone) {
  weft::thread_pool pool{{.threads = 1}};
  auto done = weft::strand(pool).submit([] { return 6; });
  EXPECT_EQ(done.get(), 6);
}

}  // namespace
