#include <weft/core/outside_work.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include <weft/context/cancellation.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/executor/thread_pool.hpp>

namespace {

using weft::detail::outside_work;

void wait_until_none_is_counted() {
  while (outside_work::count() != 0) std::this_thread::yield();
}

TEST(outside_work, is_each_task_that_a_pool_has_queued_or_runs) {
  weft::thread_pool pool{{.threads = 1}};
  EXPECT_EQ(outside_work::count(), 0);
  weft::promise<void> gate;
  auto opened = gate.get_future();
  auto first = pool.submit([&] { opened.get(); });
  auto second = pool.submit([] {});
  EXPECT_EQ(outside_work::count(), 2);
  gate.set_value();
  second.get();
  wait_until_none_is_counted();
}

TEST(outside_work, is_none_after_a_shutdown_that_dropped_tasks) {
  weft::thread_pool pool{{.threads = 1}};
  weft::promise<void> gate;
  auto opened = gate.get_future();
  auto first = pool.submit([&] { weft::shield([&] { opened.get(); }); });
  auto second = pool.submit([] {});
  EXPECT_GE(pool.shutdown(std::chrono::milliseconds(0)).dropped_tasks, 1U);
  gate.set_value();
  EXPECT_THROW(second.get(), weft::cancelled);
  wait_until_none_is_counted();
}

TEST(outside_work, is_what_blocking_runs) {
  std::int64_t inside = 0;
  weft::blocking([&] { inside = outside_work::count(); });
  EXPECT_EQ(inside, 1);
  wait_until_none_is_counted();
}

}  // namespace
