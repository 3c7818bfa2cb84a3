#include <weft/service/notifier.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <semaphore>
#include <string>

#include <weft/executor/executor.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/loops.hpp>
#include <weft/fiber/run.hpp>
#include <weft/service/loop_watch.hpp>

#include "service/fake_manager.hpp"
#include "support/expect_error.hpp"

namespace weft::ops {
namespace {

using namespace std::chrono_literals;
using weft_test::fake_manager;

std::int64_t monotonic_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

TEST(notifier, each_word_is_a_datagram) {
  fake_manager manager;
  const notifier to(manager.address());
  EXPECT_TRUE(to);
  EXPECT_TRUE(to.ready());
  EXPECT_EQ(manager.take(), "READY=1");
  EXPECT_TRUE(to.status("3 jobs\nREADY=1"));
  EXPECT_EQ(manager.take(), "STATUS=3 jobs READY=1") << "a line break begins no word";
  EXPECT_TRUE(to.alive());
  EXPECT_EQ(manager.take(), "WATCHDOG=1");
  EXPECT_TRUE(to.extend_timeout(90s));
  EXPECT_EQ(manager.take(), "EXTEND_TIMEOUT_USEC=90000000");
  EXPECT_TRUE(to.stopping());
  EXPECT_EQ(manager.take(), "STOPPING=1");
}

TEST(notifier, a_reload_says_when_it_began) {
  fake_manager manager;
  const auto before = monotonic_now();
  EXPECT_TRUE(notifier(manager.address()).reloading());
  const auto behind = monotonic_now();
  const std::string told = manager.take();
  const std::string start = "RELOADING=1\nMONOTONIC_USEC=";
  ASSERT_TRUE(told.starts_with(start)) << told;
  const std::int64_t said = std::stoll(told.substr(start.size()));
  EXPECT_LE(before, said);
  EXPECT_LE(said, behind);
}

TEST(notifier, reaches_abstract_sockets) {
  fake_manager manager("@weft-test-notify-" + std::to_string(::getpid()));
  EXPECT_TRUE(notifier(manager.address()).ready());
  EXPECT_EQ(manager.take(), "READY=1");
}

TEST(notifier, leaves_descriptors_with_the_manager) {
  fake_manager manager;
  const notifier to(manager.address());
  auto pipe = process::make_pipe();
  EXPECT_TRUE(to.store("listener", pipe.writer.get()));
  EXPECT_EQ(manager.take(), "FDSTORE=1\nFDNAME=listener");
  ASSERT_EQ(manager.descriptors().size(), 1u);
  ASSERT_EQ(::write(manager.descriptors()[0].get(), "x", 1), 1);
  char read = 0;
  ASSERT_EQ(::read(pipe.reader.get(), &read, 1), 1);
  EXPECT_EQ(read, 'x');
  EXPECT_TRUE(to.forget("listener"));
  EXPECT_EQ(manager.take(), "FDSTOREREMOVE=1\nFDNAME=listener");
  EXPECT_TRUE(manager.descriptors().empty());
  for (const std::string& bad :
       {std::string(), std::string("a:b"), std::string("a\nb"), std::string(256, 'a')}) {
    message_of(errc::invalid_argument, [&] { to.store(bad, pipe.writer.get()); });
    message_of(errc::invalid_argument, [&] { to.forget(bad); });
  }
}

TEST(notifier, never_waits_and_never_fails_its_caller) {
  EXPECT_FALSE(notifier());
  EXPECT_TRUE(notifier().ready()) << "there is nobody to tell";
  std::string gone;
  {
    fake_manager manager;
    gone = manager.address();
    const notifier to(gone);
    int sent = 0;
    while (sent < 100'000 && to.alive()) ++sent;  // until the socket is full
    EXPECT_LT(sent, 100'000);
    EXPECT_GT(sent, 0);
  }
  EXPECT_FALSE(notifier(gone).ready());
}

TEST(notifier, refuses_addresses_that_are_none) {
  for (const std::string& bad : {std::string(), std::string("@"), std::string("/"), std::string("notify"),
                                 std::string("vsock:2:1"), "/" + std::string(200, 'a')}) {
    EXPECT_TRUE(has_text(message_of(errc::invalid_argument, [&] { notifier{bad}; }), "NOTIFY_SOCKET")) << bad;
  }
}

TEST(notifier, is_taken_out_of_the_environment) {
  fake_manager manager;
  ::setenv("NOTIFY_SOCKET", manager.address().c_str(), 1);
  EXPECT_TRUE(notifier::from_environment().ready());
  EXPECT_EQ(manager.take(), "READY=1");
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
  EXPECT_FALSE(notifier::from_environment());
}

TEST(watchdog_period, is_that_of_this_process) {
  EXPECT_EQ(take_watchdog_period(), std::nullopt);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(take_watchdog_period(), 30s);
  EXPECT_EQ(std::getenv("WATCHDOG_USEC"), nullptr);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(take_watchdog_period(), 30s);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getppid()).c_str(), 1);
  EXPECT_EQ(take_watchdog_period(), std::nullopt) << "it is another one's";
  ::setenv("WATCHDOG_USEC", "30s", 1);
  EXPECT_TRUE(
      has_text(message_of(errc::invalid_argument, [] { (void)take_watchdog_period(); }), "WATCHDOG_USEC"));
}

TEST(loop_watch, a_loop_that_is_stuck_gives_no_sign_of_life) {
  fake_manager manager;
  const notifier to(manager.address());
  run(
      [&] {
        const loop_watch watch(to, 30ms);
        for (int i = 0; i < 3; ++i) EXPECT_EQ(manager.hear(), "WATCHDOG=1");

        std::binary_semaphore release(0);
        event stuck;
        event over;
        loop_executors()[1].post([&] {
          stuck.set();
          release.acquire();  // blocks the thread of that loop
          over.set();
        });
        stuck.wait();
        while (!manager.take(MSG_DONTWAIT).empty()) {
        }
        sleep_for(300ms);
        int signs = 0;
        while (!manager.take(MSG_DONTWAIT).empty()) ++signs;
        EXPECT_LE(signs, 1) << "one may have been through all loops before";
        release.release();
        over.wait();
        EXPECT_EQ(manager.hear(), "WATCHDOG=1");
      },
      {.threads = 2});
}

TEST(loop_watch, refuses_what_cannot_be_fed_in_time) {
  fake_manager manager;
  const notifier to(manager.address());
  run([&] {
    message_of(errc::invalid_argument, [&] { const loop_watch watch(to, 9ms); });
    const loop_watch none(to, 0us);
    const loop_watch nobody(notifier{}, 9ms);
    yield();
  });
  EXPECT_EQ(manager.take(MSG_DONTWAIT), "");
}

}  // namespace
}  // namespace weft::ops
