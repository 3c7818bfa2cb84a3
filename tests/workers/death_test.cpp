#include <csignal>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/process/child.hpp>
#include <weft/process/self.hpp>
#include <weft/process/socket.hpp>

#include "workers/on_fiber.hpp"
#include "workers/test_program.hpp"

// Every way in which a worker can end without an answer, and that the pool goes on.

namespace {

using namespace std::chrono_literals;
using weft::process::exit_status;
using weft::workers::client;
using weft::workers::worker_died;
using weft_test::is_gone;
using weft_test::on_fiber;

class death : public testing::Test {
 protected:
  // Calls what ends the worker; the pool answers again afterwards, from another process.
  template <typename... Args>
  worker_died of(std::string_view name, const Args&... args) {
    std::optional<worker_died> seen;
    on_fiber([&] {
      auto held = pool.checkout();
      const auto pid = held.call<std::int64_t>("pid");
      const auto start = weft::steady_clock::now();
      try {
        held.call(name, args...);
      } catch (const worker_died& died) {
        seen = died;
        took = weft::steady_clock::now() - start;
        EXPECT_EQ(died.pid(), pid);
      }
      EXPECT_THROW(held.call("nothing"), worker_died);  // the checkout stays broken
      EXPECT_TRUE(is_gone(static_cast<pid_t>(pid)));
      EXPECT_NE(pool.call<std::int64_t>("pid"), pid);
    });
    if (!seen) throw std::runtime_error("the worker did not die");
    return *seen;
  }

  client pool{{.min_workers = 1, .max_workers = 1}};
  weft::steady_clock::duration took{};
};

TEST_F(death, by_a_signal_is_named) {
  for (const int signal : {SIGKILL, SIGSEGV, SIGBUS, SIGABRT}) {
    const auto died = of("die_by", signal);
    EXPECT_TRUE(died.status().is_signaled());
    EXPECT_EQ(died.status().value, signal);
    EXPECT_NE(died.message().find(weft::process::signal_name(signal)), std::string::npos) << died.message();
    EXPECT_NE(died.message().find("\"die_by\""), std::string::npos) << died.message();
    EXPECT_LT(took, 10s);  // and not when the time of the call is over
  }
}

TEST_F(death, by_exit_without_an_answer_is_told_apart) {
  const auto quietly = of("exit_process", 0);
  EXPECT_EQ(quietly.status(), exit_status::exited(0));
  EXPECT_NE(quietly.message().find("exit status 0, without an answer"), std::string::npos)
      << quietly.message();
  EXPECT_EQ(of("exit_process", 3).status(), exit_status::exited(3));
}

TEST_F(death, by_stack_overflow_is_told_apart) {
  const auto died = of("overflow");
  EXPECT_EQ(died.status().value, SIGSEGV);
  EXPECT_NE(died.message().find("stack"), std::string::npos) << died.message();
}

TEST_F(death, brings_the_last_words_of_the_worker) {
  const auto died = of("complain_and_abort", "out of ink");
  EXPECT_NE(died.message().find("it last wrote: out of ink"), std::string::npos) << died.message();
}

TEST_F(death, of_a_worker_that_wrote_without_end_is_none_of_its_writing) {
  on_fiber([&] {
    EXPECT_EQ(pool.call<int>("write_errors", 1 << 17), 1 << 17);
    pool.call("nothing");
  });
}

TEST_F(death, a_worker_that_closes_its_connection_and_goes_on_is_killed) {
  EXPECT_NE(of("close_connection").message().find("was killed"), std::string::npos);
}

TEST_F(death, comes_to_a_worker_that_cannot_be_understood_before_its_place_is_another_ones) {
  on_fiber([&] {
    auto held = pool.checkout();
    const auto pid = static_cast<pid_t>(held.call<std::int64_t>("pid"));
    EXPECT_THROW(held.call("talk_nonsense"), weft::error);
    EXPECT_EQ(pool.statistics().timeouts, 0U);
    EXPECT_EQ(::kill(pid, 0), -1);
    EXPECT_NE(pool.call<std::int64_t>("pid"), pid);
  });
}

TEST_F(death, of_an_idle_worker_is_noticed_by_the_next_call) {
  on_fiber([&] {
    const auto pid = static_cast<pid_t>(pool.call<std::int64_t>("pid"));
    ::kill(pid, SIGKILL);
    ASSERT_TRUE(is_gone(pid));
    EXPECT_NE(pool.call<std::int64_t>("pid"), pid);
    EXPECT_EQ(pool.statistics().deaths, 1U);
    EXPECT_EQ(pool.statistics().alive, 1U);
  });
}

TEST(exit_of_a_call, is_an_error_with_its_status_and_a_new_worker) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    const auto first = pool.call<std::int64_t>("pid");
    try {
      pool.call("weft_exit", 5);
      ADD_FAILURE() << "no error";
    } catch (const weft::workers::worker_exited& left) {
      EXPECT_EQ(left.status(), 5);
      EXPECT_EQ(left.code(), weft::errc::exited);
    }
    EXPECT_NE(pool.call<std::int64_t>("pid"), first);
  });
}

class timeout : public testing::Test {
 protected:
  // Calls what takes too long; gives the time the error took. The worker is gone then.
  weft::steady_clock::duration of(std::string_view name) {
    weft::steady_clock::duration took{};
    on_fiber([&] {
      const auto pid = static_cast<pid_t>(pool.call<std::int64_t>("pid"));
      auto held = pool.checkout({.timeout = given});
      const auto start = weft::steady_clock::now();
      EXPECT_THROW(held.call(name), weft::workers::call_timed_out);
      took = weft::steady_clock::now() - start;
      EXPECT_THROW(held.call("nothing"), weft::workers::call_timed_out);
      EXPECT_TRUE(is_gone(pid));
      EXPECT_NE(pool.call<std::int64_t>("pid"), pid);
      EXPECT_EQ(pool.statistics().alive, 1U);
    });
    return took;
  }
  static constexpr auto given = 2s;  // enough for any machine to send a call
  client pool{{.min_workers = 1, .max_workers = 1}};
};

TEST_F(timeout, stops_a_busy_worker) { EXPECT_GE(of("spin"), given); }
TEST_F(timeout, kills_a_worker_that_ignores_sigterm) { of("spin_deaf"); }

TEST_F(timeout, kills_a_stopped_worker) {
  on_fiber([&] {
    const auto pid = static_cast<pid_t>(pool.call<std::int64_t>("pid"));
    auto held = pool.checkout({.timeout = given});
    ::kill(pid, SIGSTOP);
    EXPECT_THROW(held.call("nothing"), weft::workers::call_timed_out);
    EXPECT_TRUE(is_gone(pid));
  });
}

TEST_F(timeout, keeps_the_order_of_the_line) {
  on_fiber([&] {
    std::vector<int> order;
    weft::scope all;
    all.go(
        [&] { EXPECT_THROW(pool.checkout({.timeout = 50ms}).call("spin"), weft::workers::call_timed_out); });
    for (int i = 0; i < 3; ++i) {
      all.go([&, i] {
        pool.call("nothing");
        order.push_back(i);
      });
    }
    all.join();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
  });
}

TEST_F(timeout, of_a_call_that_waits_in_a_fiber_is_one_too) {
  on_fiber([&] {
    EXPECT_THROW(pool.checkout({.timeout = 50ms}).call("sleep_ms", 10'000), weft::deadline_exceeded);
  });
}

TEST(cancelled_call, that_can_stop_keeps_its_worker) {
  client pool({.min_workers = 1, .max_workers = 1, .stop_grace = 20s});
  on_fiber([&] {
    const auto pid = pool.call<std::int64_t>("pid");
    auto calling = weft::go([&] { pool.call("sleep_ms", 60'000); });
    while (pool.statistics().calls < 2) weft::yield();
    calling.cancel();
    EXPECT_THROW(calling.join(), weft::cancelled);
    EXPECT_EQ(pool.call<std::int64_t>("pid"), pid);
  });
}

TEST(cancelled_call, that_cannot_stop_loses_its_worker) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    const auto pid = static_cast<pid_t>(pool.call<std::int64_t>("pid"));
    auto calling = weft::go([&] { pool.call("spin"); });
    while (pool.statistics().calls < 2) weft::yield();
    calling.cancel();
    EXPECT_THROW(calling.join(), weft::cancelled);
    EXPECT_TRUE(is_gone(pid));
    EXPECT_NE(pool.call<std::int64_t>("pid"), pid);
  });
}

TEST(cancelled_call, past_the_tasks_deadline_is_the_borders_error) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    EXPECT_THROW(weft::with_timeout(100ms, [&] { pool.call("spin"); }), weft::deadline_exceeded);
    pool.call("nothing");
  });
}

TEST(hung_alarm, ends_a_worker_whose_call_takes_too_long) {
  client pool({.min_workers = 1, .max_workers = 1, .hung_worker_timeout = 100ms});
  on_fiber([&] {
    try {
      pool.call("spin");
      ADD_FAILURE() << "no error";
    } catch (const worker_died& died) {
      EXPECT_EQ(died.status().value, SIGALRM);
      EXPECT_NE(died.message().find("hung_worker_timeout"), std::string::npos);
    }
  });
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
