// weft::cause() belongs to the call of a callback, not to what the callback starts.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>

#include <weft/context/context.hpp>
#include <weft/executor/executor.hpp>
#include <weft/executor/future.hpp>
#include <weft/executor/then.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

namespace {

constexpr weft::key_spec user_spec{.name = "cause.user"};
const weft::key<std::int64_t> user{user_spec};

std::int64_t cause_user() {
  const weft::context of = weft::cause();
  const std::int64_t* const found = of.find(user);
  return found == nullptr ? 0 : *found;
}

TEST(cause_in_runs, survives_a_wait_in_the_callback) {
  weft::run([] {
    weft::channel<int> go_on(0);
    const auto told = [&](std::int64_t emitter) {
      EXPECT_EQ(cause_user(), emitter);
      go_on.pop();
      EXPECT_EQ(cause_user(), emitter);
    };
    auto one = weft::with(
        user, 1, [&] { return weft::go([&, callback = weft::bind(told)]() mutable { callback(1); }); });
    auto two = weft::with(
        user, 2, [&] { return weft::go([&, callback = weft::bind(told)]() mutable { callback(2); }); });
    go_on.push(0);
    go_on.push(0);
    one.join();
    two.join();
  });
}

TEST(cause_in_runs, is_not_that_of_what_the_callback_starts) {
  weft::run([] {
    weft::thread_pool pool(weft::thread_pool_options::fixed(1));
    const weft::scoped_value emitter(user, 7);
    std::int64_t seen[4] = {-1, -1, -1, -1};
    auto callback = weft::bind([&] {
      EXPECT_EQ(cause_user(), 7);
      seen[0] = weft::go(&cause_user).join();
      seen[1] = weft::go_now(&cause_user).join();
      seen[2] = pool.submit(&cause_user).get();
      weft::inline_executor().post([&] { seen[3] = cause_user(); });  // within this call: it cannot tell
      EXPECT_EQ(cause_user(), 7);
    });
    callback();
    for (const std::int64_t each : seen) EXPECT_EQ(each, 0);
  });
}

TEST(cause_in_runs, of_a_promise_that_is_told_of_a_cancellation_is_the_context_of_who_cancels) {
  std::int64_t subscriber = 0;
  std::int64_t emitter = 0;
  weft::promise<int> promise;
  auto outcome = promise.get_future();
  weft::with(user, 1, [&] {
    promise.on_cancel([&] {
      subscriber = user.require();
      emitter = cause_user();
      promise.set_stopped();
    });
  });
  weft::with(user, 2, [&] { outcome.cancel(); });
  EXPECT_EQ(subscriber, 1);
  EXPECT_EQ(emitter, 2);
  EXPECT_EQ(outcome.state(), weft::future_status::cancelled);
}

TEST(cause_in_runs, is_not_that_of_a_continuation_that_the_callback_completes) {
  weft::promise<int> promise;
  auto seen = promise.get_future().then_inline([](int) { return cause_user(); });
  const weft::scoped_value emitter(user, 7);
  weft::bind([&] {
    promise.set_value(1);
    EXPECT_EQ(cause_user(), 7);
  })();
  EXPECT_EQ(seen.get(), 0);
}

TEST(cause_in_runs, on_a_pool_is_the_context_of_the_task_that_calls) {
  weft::thread_pool pool(weft::thread_pool_options::fixed(2));
  std::function<std::int64_t()> callback =
      weft::with(user, 1, [] { return weft::bind([] { return 100 * user.require() + cause_user(); }); });
  for (const std::int64_t emitter : {2, 3}) {
    auto answer = weft::with(user, emitter, [&] { return pool.submit(callback); });
    EXPECT_EQ(answer.get(), 100 + emitter);
  }
}

}  // namespace
