#include <weft/executor/task.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <coroutine>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/executor/futures.hpp>
#include <weft/executor/thread_pool.hpp>

#include "support/expect_error.hpp"
#include "support/limited_memory.hpp"

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
  message_of(weft::errc::closed, [&] { outcome.get(); });
  EXPECT_EQ(held.use_count(), 1);
}

/// Keeps the one thread of a pool until it ends.
class busy {
 public:
  explicit busy(const weft::thread_pool& pool) {
    auto [begun, has_begun] = weft::contract<void>();
    over_ = pool.submit([told = std::move(begun), until = gate_.get_future()]() mutable {
      told.set_value();
      weft::shield([&] { until.get(); });
    });
    has_begun.get();
  }
  busy(const busy&) = delete;
  busy& operator=(const busy&) = delete;
  ~busy() { end(); }
  void end() {
    if (gate_.try_set_value()) over_.wait();
  }

 private:
  weft::promise<void> gate_;
  weft::future<void> over_;
};

TEST(task, that_was_cancelled_before_it_began_does_not_begin) {
  weft::thread_pool pool{weft::thread_pool_options::single("only")};
  bool began = false;
  const auto body = [&]() -> weft::task<int> {
    began = true;
    co_return 1;
  };
  busy thread(pool);
  auto stopped = weft::start(pool, body());
  stopped.cancel();
  thread.end();
  EXPECT_THROW(stopped.get(), weft::cancelled);
  EXPECT_FALSE(began);
}

/// Tells when its coroutine's frame has ended.
class end_mark {
 public:
  explicit end_mark(weft::promise<void>& told) : told_(&told) {}
  end_mark(const end_mark&) = delete;
  end_mark& operator=(const end_mark&) = delete;
  ~end_mark() { told_->set_value(); }

 private:
  weft::promise<void>* told_;
};

weft::task<int> marked(weft::promise<void>& told, weft::future<int> of) {
  const end_mark mark(told);
  co_return co_await of;
}

TEST(task, that_is_suspended_sees_the_deadline_of_its_context) {
  weft::thread_pool pool{{.threads = 1}};
  weft::promise<int> never;
  weft::promise<void> ends;
  auto ended = ends.get_future();
  EXPECT_THROW(weft::with_timeout(5ms, [&] { weft::start(pool, marked(ends, never.get_future())).get(); }),
               weft::deadline_exceeded);
  ended.get();
  EXPECT_TRUE(never.is_cancelled());
}

TEST(task, that_is_suspended_sees_the_deadline_of_a_scope_of_its_own) {
  weft::thread_pool pool{{.threads = 1}};
  weft::promise<int> never;
  weft::promise<int> in;
  const auto body = [](weft::future<int> one, weft::future<int> other) -> weft::task<int> {
    try {
      const weft::cancel_scope scope(weft::deadline_after(2ms));
      co_await one;
    } catch (const weft::cancelled&) {
    }
    co_return co_await other;
  };
  auto gives = weft::start(pool, body(never.get_future(), in.get_future()));
  while (!never.is_cancelled()) std::this_thread::yield();
  in.set_value(3);
  EXPECT_EQ(gives.get(), 3);
}

TEST(task, that_is_suspended_sees_the_cancellation_of_its_context) {
  weft::thread_pool pool{weft::thread_pool_options::single("only")};
  weft::promise<int> never;
  weft::promise<int> ignores;
  ignores.on_cancel([&] { ignores.set_value(1); });
  weft::future<int> stopped, unmoved;
  {
    weft::cancel_scope scope;
    stopped = weft::start(pool, twice(never.get_future()));
    unmoved = weft::start(pool, twice(ignores.get_future()));
    pool.submit([] {}).get();  // both are suspended
    scope.cancel(weft::cancel_reason::sibling);
  }
  EXPECT_THROW(stopped.get(), weft::cancelled);
  EXPECT_THROW(unmoved.get(), weft::cancelled);  // as a wait: what comes then is not taken
  EXPECT_TRUE(never.is_cancelled());
}

TEST(task, that_is_awaited_and_cancelled_cancels_what_it_awaits) {
  weft::promise<int> never;
  EXPECT_THROW(weft::with_timeout(2ms, [&] { weft::await(twice(never.get_future())); }),
               weft::deadline_exceeded);
  EXPECT_TRUE(never.is_cancelled());
}

TEST(task, that_the_executor_refuses_says_why) {
  weft::thread_pool pool{{.threads = 1, .queue_max = 1}};
  weft::promise<int> in;
  weft::promise<void> begun;
  auto held = std::make_shared<int>(1);
  const auto body = [&](std::shared_ptr<int> kept, weft::future<int> of) -> weft::task<int> {
    begun.set_value();
    co_return *kept + co_await of;
  };
  auto refused_later = weft::start(pool, body(held, in.get_future()));
  begun.get_future().get();
  {
    const busy thread(pool);
    auto fills = pool.submit([] {});
    message_of(weft::errc::resource_exhausted,
               [&] { static_cast<void>(weft::start(pool, body(held, weft::ready(1)))); });
    in.set_value(1);
  }
  message_of(weft::errc::resource_exhausted, [&] { refused_later.get(); });
  EXPECT_EQ(held.use_count(), 1);
}

TEST(task, that_waits_inside_of_a_part_sees_the_end_of_the_pool) {
  weft::thread_pool pool{weft::thread_pool_options::single("only")};
  weft::promise<void> begun;
  weft::promise<int> nobody;
  auto has_begun = begun.get_future();
  const auto waits = [&]() -> weft::task<int> {
    begun.set_value();
    co_return nobody.get_future().get();  // holds its thread
  };
  auto running = weft::start(pool, waits());
  has_begun.get();
  EXPECT_EQ(pool.shutdown(0ms, 10min).running_tasks, 0U);
  EXPECT_THROW(running.get(), weft::cancelled);
}

TEST(task, a_wait_for_one_that_cannot_go_on_is_refused) {
  weft::thread_pool pool{weft::thread_pool_options::single("only")};
  weft::promise<int> in;
  auto suspended = weft::start(pool, twice(in.get_future()));
  pool.submit([&] {
        message_of(weft::errc::deadlock, [&] { suspended.get(); });
        message_of(weft::errc::deadlock, [] { weft::start(twice(weft::ready(1))).get(); });
      })
      .get();
  weft::thread_pool other{weft::thread_pool_options::single("other")};
  auto waits_for_behind = pool.submit([&] {
                                auto awaits = weft::start(other, twice(weft::async(pool, [] { return 1; })));
                                other.submit([] {}).get();
                                message_of(weft::errc::deadlock, [&] { awaits.wait(); });
                                return awaits;
                              })
                              .get();
  EXPECT_EQ(waits_for_behind.get(), 2);
  in.set_value(2);
  EXPECT_EQ(suspended.get(), 4);

  weft::promise<int> gate;
  weft::future<int> own;
  auto [told, refused] = weft::contract<int>();
  const auto awaits_itself = [&](weft::promise<int> to) -> weft::task<int> {
    co_await gate.get_future();
    int times = 0;
    try {
      own.wait();
    } catch (const weft::error&) {
      ++times;
    }
    try {
      co_await own;
    } catch (const weft::error&) {
      ++times;
    }
    to.set_value(times);
    co_return times;
  };
  own = weft::start(awaits_itself(std::move(told)));
  gate.set_value(1);
  EXPECT_EQ(refused.get(), 2);
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

/// The same, for who ends the frame himself.
struct owned_foreign {
  struct promise_type {
    owned_foreign get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<promise_type> frame;
};
owned_foreign goes_on(weft::future<int> of, int& times) {
  co_await of;
  ++times;
}

TEST(task, a_foreign_frame_that_was_destroyed_is_not_resumed) {
  int times = 0;
  {
    weft::promise<int> in;
    goes_on(in.get_future(), times).frame.destroy();
    weft::with(user, 1, [&] { in.set_value(1); });
  }
  weft::thread_pool pool{weft::thread_pool_options::single("only")};
  weft::promise<int> in;
  const auto waits = pool.submit([&] { return goes_on(in.get_future(), times); }).get();
  {
    const busy thread(pool);
    in.set_value(1);  // its resumption is queued
    waits.frame.destroy();
  }
  pool.submit([] {}).get();
  EXPECT_EQ(times, 0);
}

TEST(task, a_foreign_coroutine_goes_on_in_its_context_where_the_executor_does_not_run_it) {
  const auto body = [](weft::future<int> of, weft::promise<std::pair<int, int>> to) -> foreign {
    const int value = co_await of;
    to.set_value({value, user.value_or(0)});
  };
  weft::thread_pool pool{weft::thread_pool_options::single("only")};
  weft::promise<int> dropped;
  weft::promise<int> refused;
  auto [dropped_told, dropped_seen] = weft::contract<std::pair<int, int>>();
  auto [refused_told, refused_seen] = weft::contract<std::pair<int, int>>();
  weft::with(user, 3, [&] {
    pool.submit([&] {
          body(dropped.get_future(), std::move(dropped_told));
          body(refused.get_future(), std::move(refused_told));
        })
        .get();
  });
  {
    const busy thread(pool);
    dropped.set_value(5);
    EXPECT_EQ(pool.shutdown(0ms).dropped_tasks, 1U);
    refused.set_value(6);
  }
  EXPECT_EQ(dropped_seen.get(), std::pair(5, 3));
  EXPECT_EQ(refused_seen.get(), std::pair(6, 3));
}

/// Runs tasks in their poster, without any memory of its own.
class frugal_core final : public weft::executor_core {
 public:
  void post(weft::executor_task task) override {
    weft::detail::run_work(*this, task);
    weft::detail::end_work(task);
  }
  std::string_view name() const noexcept override { return "frugal"; }
  std::size_t concurrency() const noexcept override { return weft::executor::unbounded; }
};

// Every n-th allocation fails in turn: the task, or start(), fails with that.
TEST(task, ends_where_there_is_no_memory) {
  int failed = 0, gave = 0;
  const weft::executor frugal(std::make_shared<frugal_core>());
  for (int n = 0; n < 60; ++n) {
    weft::promise<int> in;
    auto of = in.get_future();
    weft::future<int> outcome;
    weft::testing::allocations_left = n;
    try {
      const weft::cancel_scope scope(weft::deadline_after(1h));
      outcome = weft::start(frugal, twice(std::move(of)));
    } catch (const std::bad_alloc&) {
    } catch (const weft::error&) {  // the time could not be scheduled
    }
    if (outcome.valid()) in.try_set_value(2);
    weft::testing::allocations_left = -1;
    if (outcome.valid() && outcome.get_result().has_value()) {
      ++gave;
    } else {
      ++failed;
    }
  }
  EXPECT_GT(failed, 0);
  EXPECT_GT(gave, 0);
}

}  // namespace
