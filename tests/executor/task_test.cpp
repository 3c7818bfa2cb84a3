#include <weft/executor/task.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <coroutine>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/executor/futures.hpp>
#include <weft/executor/thread_pool.hpp>

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec user_spec{.name = "test.task_user"};
const weft::key<int> user{user_spec};

weft::task<int> twice(weft::future<int> of) { co_return co_await of * 2; }

weft::task<int> sum() {
  const int one = co_await twice(weft::async([] { return 1; }));
  const int other = co_await twice(weft::ready(2));
  co_await weft::sleep(1ms);
  co_return one + other;
}

TEST(task, is_lazy_and_awaits_futures_and_tasks) {
  bool began = false;
  const auto mark = [&]() -> weft::task<> {
    began = true;
    co_return;
  };
  { auto dropped = mark(); }
  EXPECT_FALSE(began);
  weft::await(mark());
  EXPECT_TRUE(began);
  EXPECT_EQ(weft::await(sum()), 6);
  EXPECT_EQ(weft::start(sum()).get(), 6);
}

TEST(task, hands_errors_on_as_they_were_thrown) {
  const auto fails = []() -> weft::task<int> {
    co_await weft::sleep(1ms);
    throw std::runtime_error("lost");
  };
  const auto recovers = [&]() -> weft::task<std::string> {
    try {
      co_await fails();
    } catch (const std::runtime_error& thrown) {
      co_return thrown.what();
    }
    co_return "nothing";
  };
  EXPECT_EQ(weft::await(recovers()), "lost");
  EXPECT_EQ(weft::start(recovers()).get(), "lost");
  EXPECT_THROW(weft::start(fails()).get(), std::runtime_error);
}

// R8
weft::task<int> user_across_waits() {
  const weft::scoped_value bound(user, 7);
  co_await weft::sleep(1ms);
  const int before = user.value_or(0);
  co_await weft::async([] {});
  co_return before == 7 ? user.value_or(0) : 0;
}

TEST(task, keeps_its_context_and_its_scopes_wherever_it_goes_on) {
  weft::thread_pool pool{{.threads = 3}};
  const weft::scoped_value mine(user, 1);
  EXPECT_EQ(weft::await(user_across_waits()), 7);
  EXPECT_EQ(user.value_or(0), 1);
  std::vector<weft::future<int>> all;
  for (int i = 0; i < 100; ++i) all.push_back(weft::start(pool, user_across_waits()));
  for (const int one : weft::when_all(std::move(all)).get()) EXPECT_EQ(one, 7);
  const auto inherits = []() -> weft::task<int> {
    co_await weft::sleep(1ms);
    co_return user.value_or(0);
  };
  EXPECT_EQ(weft::start(pool, inherits()).get(), 1);
  EXPECT_EQ(pool.submit([] { return user.value_or(0); }).get(), 1);
  EXPECT_EQ(weft::get_context_statistics().scopes_misnested, 0U);
}

TEST(task, that_was_started_holds_no_thread_while_it_awaits) {
  weft::thread_pool pool{weft::thread_pool_options::single("only")};
  weft::promise<int> in;
  auto waits = weft::start(pool, twice(in.get_future()));
  EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
  in.set_value(4);
  EXPECT_EQ(waits.get(), 8);
}

TEST(task, that_was_started_can_be_cancelled) {
  weft::promise<int> never;
  auto awaits = weft::start(twice(never.get_future()));
  awaits.cancel(weft::cancel_reason::shutdown);
  EXPECT_THROW(awaits.get(), weft::cancelled);

  weft::promise<void> begun;
  auto has_begun = begun.get_future();
  const auto waits = [&]() -> weft::task<int> {
    begun.set_value();
    weft::promise<int> nobody;
    co_return nobody.get_future().get();  // holds its thread
  };
  auto running = weft::start(waits());
  has_begun.get();
  running.cancel();
  EXPECT_THROW(running.get(), weft::cancelled);
}

TEST(task, that_is_awaited_sees_the_deadline_of_who_awaits) {
  weft::promise<int> never;
  EXPECT_THROW(weft::with_timeout(2ms, [&] { weft::await(twice(never.get_future())); }),
               weft::deadline_exceeded);
}

TEST(task, of_an_executor_that_is_over_is_dropped_with_what_it_holds) {
  auto held = std::make_shared<int>(1);
  weft::promise<int> in;
  weft::future<int> outcome;
  {
    weft::thread_pool pool{{.threads = 1}};
    const auto waits = [](std::shared_ptr<int> kept, weft::future<int> of) -> weft::task<int> {
      const weft::scoped_value bound(user, *kept);
      co_return co_await of;
    };
    outcome = weft::start(pool, waits(held, in.get_future()));
    pool.submit([] {}).get();
  }
  in.set_value(1);
  EXPECT_THROW(outcome.get(), weft::cancelled);
  EXPECT_EQ(held.use_count(), 1);
}

/// A coroutine type of another library.
struct foreign {
  struct promise_type {
    foreign get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

TEST(task, futures_can_be_awaited_in_foreign_coroutines) {
  weft::promise<int> in;
  auto [told, seen] = weft::contract<std::pair<int, int>>();
  const auto body = [](weft::future<int> of, weft::promise<std::pair<int, int>> to) -> foreign {
    const int value = co_await of;
    to.set_value({value, user.value_or(0)});
  };
  weft::with(user, 3, [&] { body(in.get_future(), std::move(told)); });
  weft::with(user, 4, [&] { in.set_value(5); });
  EXPECT_EQ(seen.get(), std::pair(5, 3));
}

}  // namespace
