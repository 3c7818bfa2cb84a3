#include <weft/executor/future.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include <weft/context/cancellation.hpp>

namespace {

using namespace std::chrono_literals;

TEST(future, gives_the_value_that_the_promise_was_set_to) {
  weft::promise<int> promise;
  auto future = promise.get_future();
  EXPECT_FALSE(future.ready());
  promise.set_value(7);
  EXPECT_TRUE(future.ready());
  EXPECT_EQ(future.get(), 7);
  EXPECT_FALSE(future.valid());
}

TEST(future, throws_the_very_exception_of_the_work) {
  weft::promise<int> promise;
  auto future = promise.get_future();
  const auto thrown = std::make_exception_ptr(std::runtime_error("lost"));
  promise.set_error(thrown);
  const auto outcome = future.get_result();
  EXPECT_EQ(outcome.error(), thrown);
}

TEST(future, of_a_dropped_promise_is_broken) {
  auto future = weft::promise<int>().get_future();
  EXPECT_THROW(future.get(), weft::broken_promise);
}

TEST(future, wakes_a_plain_thread_that_waits) {
  weft::promise<std::string> promise;
  auto future = promise.get_future();
  std::thread setter([&] { promise.set_value("there"); });
  EXPECT_EQ(future.get(), "there");
  setter.join();
}

TEST(future, wait_for_ends_at_its_bound_and_leaves_the_future) {
  weft::promise<int> promise;
  auto future = promise.get_future();
  EXPECT_FALSE(future.wait_for(1ms));
  promise.set_value(1);
  EXPECT_TRUE(future.wait_for(0ms));
  EXPECT_EQ(future.get(), 1);
}

TEST(future, wait_ends_at_the_deadline_of_the_task) {
  weft::promise<int> promise;
  auto future = promise.get_future();
  EXPECT_THROW(weft::with_timeout(2ms, [&] { future.get(); }), weft::deadline_exceeded);
  promise.set_value(3);
  EXPECT_EQ(future.get(), 3);
}

TEST(promise, refuses_a_second_outcome) {
  weft::promise<int> promise;
  auto future = promise.get_future();
  promise.set_value(1);
  EXPECT_FALSE(promise.try_set(weft::result<int>(2)));
  EXPECT_THROW(promise.set_value(3), weft::error);
  EXPECT_EQ(future.get(), 1);
}

TEST(promise, gives_its_future_once) {
  weft::promise<void> promise;
  auto future = promise.get_future();
  EXPECT_THROW(promise.get_future(), weft::error);
  promise.set_value();
  future.get();
}

TEST(future, an_empty_one_says_so) {
  weft::future<int> future;
  EXPECT_FALSE(future.ready());
  EXPECT_THROW(future.get(), weft::error);
}

}  // namespace
