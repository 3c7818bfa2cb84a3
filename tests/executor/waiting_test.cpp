#include <weft/executor/waiting.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/executor/async.hpp>
#include <weft/executor/thread_pool.hpp>

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec user_spec{.name = "test.waiting_user"};
const weft::key<int> user{user_spec};

/// Waits inside, as a pop of an empty channel or a lock would.
weft::task<int> taken(weft::future<int>& from) {
  const weft::scoped_value bound(user, 2);
  const int value = co_await weft::waiting([&] { return from.get() + user.value_or(0); });
  co_return value + user.value_or(0);
}

TEST(waiting, holds_no_thread_of_the_executor_of_a_started_task) {
  weft::thread_pool pool{weft::thread_pool_options::single("only")};
  weft::promise<int> in;
  auto from = in.get_future();
  auto waits = weft::start(pool, taken(from));
  EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
  in.set_value(10);
  EXPECT_EQ(waits.get(), 14);
}

TEST(waiting, runs_at_once_where_the_task_may_wait) {
  weft::promise<int> in;
  auto from = in.get_future();
  in.set_value(1);
  EXPECT_EQ(weft::await(taken(from)), 5);
  const auto here = std::this_thread::get_id();
  weft::await([&]() -> weft::task<> {
    co_await weft::waiting([&] { EXPECT_TRUE(std::this_thread::get_id() == here); });
  }());
}

TEST(waiting, hands_errors_on) {
  const auto fails = []() -> weft::task<std::string> {
    try {
      co_await weft::waiting([] { throw std::runtime_error("lost"); });
    } catch (const std::runtime_error& thrown) {
      co_return thrown.what();
    }
    co_return "nothing";
  };
  EXPECT_EQ(weft::await(fails()), "lost");
  EXPECT_EQ(weft::start(fails()).get(), "lost");
}

TEST(waiting, is_cancelled_with_its_task_and_has_ended_then) {
  weft::promise<int> never;
  auto from = never.get_future();
  weft::promise<void> begun;
  auto has_begun = begun.get_future();
  bool ended = false;
  const auto waits = [&]() -> weft::task<int> {
    co_return co_await weft::waiting([&] {
      begun.set_value();
      try {
        return from.get();
      } catch (const weft::cancelled&) {
        ended = true;
        throw;
      }
    });
  };
  auto running = weft::start(waits());
  has_begun.get();
  running.cancel();
  EXPECT_THROW(running.get(), weft::cancelled);
  EXPECT_TRUE(ended);
}

TEST(waiting, gives_what_cannot_be_copied) {
  const auto makes = []() -> weft::task<int> {
    auto work = [held = std::make_unique<int>(4)]() mutable { return std::move(held); };
    const auto text = co_await weft::waiting(std::move(work));
    co_return *text;
  };
  EXPECT_EQ(weft::start(makes()).get(), 4);
  EXPECT_EQ(weft::await(makes()), 4);
}

}  // namespace
