#include <weft/process/signals.hpp>

#include <gtest/gtest.h>

#include <csignal>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

namespace {

TEST(signal_watch, a_fiber_waits_for_a_signal_and_the_program_goes_on) {
  weft::process::signal_watch watch({SIGUSR1, SIGUSR2});
  weft::run([&] {
    auto waits = weft::go([&] { return watch.wait(); });
    weft::yield();
    EXPECT_FALSE(waits.done());
    ASSERT_EQ(raise(SIGUSR2), 0);
    EXPECT_EQ(waits.join(), SIGUSR2);
  });
}

TEST(signal_watch, keeps_a_signal_that_comes_before_the_wait) {
  weft::process::signal_watch watch({SIGUSR1});
  ASSERT_EQ(raise(SIGUSR1), 0);
  EXPECT_EQ(watch.wait(), SIGUSR1);
}

TEST(signal_watch, a_cancelled_wait_leaves_the_signal_for_the_next_one) {
  weft::process::signal_watch watch({SIGUSR1});
  weft::run([&] {
    auto waits = weft::go([&] { watch.wait(); });
    weft::yield();
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    ASSERT_EQ(raise(SIGUSR1), 0);
    EXPECT_EQ(watch.wait(), SIGUSR1);
  });
}

}  // namespace
