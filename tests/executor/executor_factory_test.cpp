#include <weft/executor/executor_factory.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/context/context.hpp>

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec tenant_spec{.name = "test.factory_tenant"};
const weft::key<int> tenant{tenant_spec};

TEST(executor_factory, names_what_it_makes) {
  weft::executor_factory factory({.name = "shop"});
  EXPECT_EQ(factory.make_pool({.threads = 1, .name = "mail"})->name(), "shop-mail");
  const auto second = factory.make_pool({.threads = 1, .name = "mail"});
  EXPECT_EQ(second->name(), "shop-mail-2");
  EXPECT_EQ(factory.make_scheduled_pool({.name = "clock"})->name(), "shop-clock");
  EXPECT_EQ(factory.make_thread("loop", [] {}).name(), "shop-loop");
}

TEST(executor_factory, hands_every_kind_of_failure_to_its_handler_exactly_once_in_the_tasks_context) {
  std::mutex mutex;
  std::vector<std::string> told;
  weft::executor_factory factory({.name = "f", .on_uncaught = [&](const weft::failed_task& what) {
                                    try {
                                      std::rethrow_exception(what.error);
                                    } catch (const std::exception& thrown) {
                                      const std::lock_guard lock(mutex);
                                      told.push_back(std::string(what.executor) + ": " + thrown.what() + " " +
                                                     std::to_string(tenant.value_or(0)));
                                    }
                                  }});
  const auto pool = factory.make_pool({.threads = 1, .name = "pool"});
  const auto clock = factory.make_scheduled_pool({.name = "clock"});
  weft::with(tenant, 1, [&] {
    pool->post([] { throw std::runtime_error("posted"); });
    auto dropped = pool->submit([] { throw std::runtime_error("dropped"); });
    dropped.wait();
  });
  weft::with(tenant, 2, [&] {
    clock->once(0ms, [] { throw std::runtime_error("once"); }).wait();
    clock->at_fixed_rate(0ms, 1ms, [] { throw std::runtime_error("rate"); }).wait();
    clock->post([] { throw std::runtime_error("clock"); });
    factory.make_thread("thread", [] { throw std::runtime_error("thread"); }).join();
  });
  factory.shutdown(1min);
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told, (std::vector<std::string>{"f-clock: clock 2", "f-clock: once 2", "f-clock: rate 2",
                                            "f-pool: dropped 1", "f-pool: posted 1", "f-thread: thread 2"}));
}

TEST(executor_factory, shutdown_lets_queued_tasks_run_and_makes_nothing_more) {
  weft::executor_factory factory;
  const auto first = factory.make_pool({.threads = 1});
  const auto second = factory.make_pool({.threads = 1});
  std::atomic<int> ran{0};
  for (int i = 0; i < 20; ++i) {
    first->post([&] { ++ran; });
    second->post([&] { ++ran; });
  }
  const auto report = factory.shutdown(1min);
  EXPECT_EQ(ran, 40);
  EXPECT_EQ(report.running_tasks, 0U);
  EXPECT_THROW(factory.make_pool(), weft::error);
  EXPECT_THROW(first->post([] {}), weft::error);
}

TEST(executor_factory, shutdown_waits_for_all_at_once) {
  weft::executor_factory factory;
  const auto first = factory.make_pool({.threads = 1});
  const auto second = factory.make_pool({.threads = 1});
  std::latch both(2);  // each can only end when the other one is still served
  first->post([&] { both.arrive_and_wait(); });
  second->post([&] { both.arrive_and_wait(); });
  EXPECT_EQ(factory.shutdown(1min).running_tasks, 0U);
}

TEST(executor_factory, shutdown_names_what_did_not_end) {
  weft::executor_factory factory({.name = "late"});
  std::latch inside(3);
  std::latch open(1);
  const auto pool = factory.make_pool({.threads = 1, .name = "pool"});
  const auto clock = factory.make_scheduled_pool({.name = "clock"});
  const auto deaf = [&] {
    inside.count_down();
    open.wait();
  };
  pool->post(deaf, {.name = "deaf"});
  auto waits = pool->submit([] {});
  clock->once(0ms, deaf, {.name = "due"});
  const weft::thread loop = factory.make_thread("loop", deaf);
  inside.wait();
  auto report = factory.shutdown(1ms, 1ms);
  open.count_down();
  EXPECT_EQ(report.running_tasks, 3U);
  EXPECT_EQ(report.dropped_tasks, 1U);
  std::vector<std::string> names;
  for (const auto& one : report.unfinished) {
    names.push_back(one.executor + "/" + one.name);
    EXPECT_GT(one.submitted_at.line(), 0U);
    EXPECT_GT(one.running_for.count(), 0);
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"late-clock/due", "late-loop/", "late-pool/deaf"}));
  EXPECT_THROW(waits.get(), weft::cancelled);
}

TEST(executor_factory, shutdown_cancels_what_waits_and_gives_it_time) {
  weft::promise<void> never;
  auto stuck_on = never.get_future();
  weft::executor_factory factory;
  std::latch inside(1);
  const weft::thread loop = factory.make_thread("loop", [&] {
    inside.count_down();
    stuck_on.get();
  });
  inside.wait();
  EXPECT_TRUE(factory.shutdown(0ms, 1min).unfinished.empty());
}

TEST(executor_factory, a_task_of_it_cannot_shut_it_down) {
  weft::executor_factory factory;
  const auto pool = factory.make_pool({.threads = 1});
  EXPECT_THROW(pool->submit([&] { factory.shutdown(1min); }).get(), weft::error);
}

TEST(executor_factory, forgets_what_is_gone) {
  weft::executor_factory factory;
  factory.make_pool({.threads = 1}).reset();
  EXPECT_EQ(factory.shutdown(0ms).running_tasks, 0U);
}

}  // namespace
