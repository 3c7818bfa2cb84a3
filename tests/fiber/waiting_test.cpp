// What fibers wait for, awaited by tasks on pools.

#include <weft/executor/waiting.hpp>

#include <gtest/gtest.h>

#include <weft/executor/async.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

namespace {

TEST(waiting_on_fibers, a_started_task_waits_for_whatever_fibers_wait_for) {
  weft::run([] {
    weft::thread_pool pool{weft::thread_pool_options::single("only")};
    weft::channel<int> values(4);
    const weft::executor loop = weft::current_executor();
    const auto pops = [&]() -> weft::task<int> {
      const auto one = co_await weft::waiting([&] { return values.pop(); });
      const auto other = co_await weft::async(loop, [&] { return values.pop(); });  // on a fiber
      co_return *one + *other;
    };
    auto popped = weft::start(pool, pops());
    auto also_popped = weft::start(pops());
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(values.push(10));
    EXPECT_EQ(popped.get(), 20);
    EXPECT_EQ(also_popped.get(), 20);
  });
}

}  // namespace
