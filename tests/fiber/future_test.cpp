// Futures and coroutines as fibers use them.

#include <weft/executor/futures.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/executor/task.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/from_fd.hpp>
#include <weft/fiber/run.hpp>

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec user_spec{.name = "test.fiber_future_user"};
const weft::key<int> user{user_spec};

TEST(future_on_fibers, get_suspends_the_fiber_and_not_its_thread) {
  weft::run([] {
    weft::promise<int> in;
    auto out = in.get_future();
    auto other = weft::go([&] { in.set_value(3); });  // of the same thread
    EXPECT_EQ(out.get(), 3);
    other.join();
  });
}

TEST(future_on_fibers, a_continuation_is_a_fiber_of_the_loop_that_attached_it) {
  weft::run([] {
    weft::thread_pool pool{{.threads = 1}};
    const weft::executor here = weft::current_executor();
    const weft::scoped_value bound(user, 4);
    weft::channel<int> values(0);
    auto waits = pool.submit([] { return 1; }).then([&](int one) {
      EXPECT_TRUE(weft::current_executor() == here);
      return one + *values.pop() + user.value_or(0);  // may wait as any fiber
    });
    EXPECT_TRUE(values.push(10));
    EXPECT_EQ(waits.get(), 15);
  });
}

/// A pipe, open as long as it lives.
struct open_pipe {
  open_pipe() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0); }
  open_pipe(const open_pipe&) = delete;
  open_pipe& operator=(const open_pipe&) = delete;
  ~open_pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  int ends[2] = {-1, -1};
};

TEST(future_on_fibers, an_event_of_a_descriptor_is_a_future_on_a_loop_and_off_it) {
  const auto check = [] {
    const open_pipe one;
    auto readable = weft::from_fd(one.ends[0], weft::io_events::readable);
    EXPECT_FALSE(readable.wait_for(1ms));
    EXPECT_EQ(::write(one.ends[1], "x", 1), 1);
    EXPECT_EQ(readable.get(), weft::io_events::readable);

    const open_pipe other;
    auto never = weft::from_fd(other.ends[0], weft::io_events::readable);
    EXPECT_FALSE(never.wait_for(1ms));
    never.cancel();
    EXPECT_THROW(never.get(), weft::cancelled);
  };
  weft::run(check);
  check();
  EXPECT_THROW(weft::from_fd(-1, weft::io_events::readable).get(), weft::error);
}

TEST(future_on_fibers, a_time_wakes_a_run_that_has_nothing_else) {
  weft::run([] {
    weft::sleep(1ms).get();
    weft::promise<int> never;
    EXPECT_EQ(never.get_future().timeout_or(1ms, 5).get(), 5);
  });
}

weft::task<int> add_all(weft::channel<int>& from) {
  const weft::scoped_value bound(user, 6);
  int sum = 0;
  while (auto one = from.pop()) {
    auto value = weft::async([held = *one] { return held; });
    sum += co_await value;
  }
  co_return sum + user.value_or(0);
}

TEST(future_on_fibers, a_task_may_call_whatever_waits) {
  weft::run([] {
    weft::channel<int> values(0);
    auto producer = weft::go([&] {
      for (int i = 1; i <= 3; ++i) values.push(i);
      values.close();
    });
    EXPECT_EQ(weft::await(add_all(values)), 12);
    producer.join();
  });
}

TEST(future_on_fibers, a_started_task_goes_on_as_fibers_of_its_loop) {
  weft::run([] {
    weft::channel<int> values(1);
    auto sum = weft::start(add_all(values));
    for (int i = 1; i <= 3; ++i) values.push(i);
    values.close();
    EXPECT_EQ(sum.get(), 12);
  });
}

}  // namespace
