#include <csignal>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/codec/codec.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/workers/client.hpp>

#include "support/scratch_folder.hpp"
#include "workers/on_fiber.hpp"
#include "workers/test_program.hpp"

// How many workers a pool has, how they come and go, and what they find.

namespace {

using namespace std::chrono_literals;
using weft::errc;
using weft::workers::client;
using weft_test::caught;
using weft_test::is_gone;
using weft_test::on_fiber;

// Each call blocks its process until the other one runs.
TEST(client_workers, two_workers_work_at_the_same_time) {
  const weft_test::scratch_folder folder;
  const std::string fifo = folder / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  client pool({.min_workers = 2, .max_workers = 2});
  on_fiber([&] {
    std::set<std::int64_t> pids;
    weft::scope both;
    for (const bool writes : {false, true}) {
      both.go([&, writes] {
        auto held = pool.checkout();
        held.call("meet_at", fifo, writes);
        pids.insert(held.call<std::int64_t>("pid"));
      });
    }
    both.join();
    EXPECT_EQ(pids.size(), 2U);
  });
}

TEST(client_workers, min_workers_are_there_before_anybody_calls) {
  client pool({.min_workers = 3, .max_workers = 5});
  EXPECT_EQ(pool.statistics().alive, 3U);
  EXPECT_EQ(pool.statistics().busy, 0U);
}

TEST(client_workers, a_worker_is_replaced_after_its_checkouts) {
  client pool({.min_workers = 1, .max_workers = 1, .max_checkouts = 2});
  on_fiber([&] {
    const auto first = pool.call<std::int64_t>("pid");
    EXPECT_EQ(pool.call<std::int64_t>("pid"), first);
    EXPECT_NE(pool.call<std::int64_t>("pid"), first);
    EXPECT_TRUE(is_gone(static_cast<pid_t>(first)));
  });
}

TEST(client_workers, a_worker_has_the_agreed_descriptors_and_no_others) {
  const weft::unique_fd stray(::dup(1));  // without close-on-exec, as a careless library opens it
  for (const auto how : {weft::workers::start_mode::fork, weft::workers::start_mode::exec}) {
    client pool({.min_workers = 1, .start = how});
    on_fiber([&] {
      // The connection, the keep-alive pipe, and the runtime's poller and its bell.
      EXPECT_EQ(pool.call<std::string>("descriptors"),
                "anon_inode:[eventfd] anon_inode:[eventpoll] pipe socket");
    });
  }
}

TEST(client_workers, a_worker_has_no_signal_blocked) {
  sigset_t some;
  ::sigemptyset(&some);
  ::sigaddset(&some, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &some, nullptr);
  client pool;
  on_fiber([&] { EXPECT_EQ(pool.call<std::string>("blocked_signals"), ""); });
  ::sigprocmask(SIG_UNBLOCK, &some, nullptr);
}

TEST(client_workers, idle_workers_beyond_the_minimum_end_after_a_while) {
  client pool({.min_workers = 1, .max_workers = 4, .idle_timeout = 1s});
  on_fiber([&] {
    std::vector<std::int64_t> pids;
    {
      std::vector<weft::workers::checkout> held;
      for (int i = 0; i < 4; ++i) held.push_back(pool.checkout());
      for (auto& one : held) pids.push_back(one.call<std::int64_t>("pid"));
    }
    // The worker that is used latest is used again first; the first one back stays.
    for (std::size_t i = 1; i < pids.size(); ++i) EXPECT_TRUE(is_gone(static_cast<pid_t>(pids[i])));
    EXPECT_EQ(pool.call<std::int64_t>("pid"), pids[0]);
    EXPECT_EQ(pool.statistics().alive, 1U);
    EXPECT_EQ(pool.statistics().shrunk, 3U);
    EXPECT_EQ(pool.statistics().deaths, 0U);
  });
}

TEST(client_workers, a_worker_in_use_is_no_idle_one) {
  client pool({.min_workers = 0, .max_workers = 2, .idle_timeout = 5ms});
  on_fiber([&] {
    auto held = pool.checkout();
    auto spare = pool.checkout();
    const auto pid = held.call<std::int64_t>("pid");
    const auto gone = spare.call<std::int64_t>("pid");
    { auto given_back = std::move(spare); }
    EXPECT_TRUE(is_gone(static_cast<pid_t>(gone)));
    EXPECT_EQ(held.call<std::int64_t>("pid"), pid);
  });
}

TEST(client_workers, too_many_deaths_are_a_crash_loop_and_pause_the_starts) {
  client pool({.min_workers = 0,
               .max_workers = 2,
               .restarts = {.deaths_max = 3, .within = 1h, .pause_first = 1h, .pause_max = 1h}});
  on_fiber([&] {
    for (int i = 0; i < 4; ++i) {
      EXPECT_FALSE(pool.statistics().crash_loop);
      EXPECT_THROW(pool.call("die_by", SIGKILL), weft::workers::worker_died);
    }
    EXPECT_TRUE(pool.statistics().crash_loop);
    const auto late =
        caught<weft::workers::call_timed_out>([&] { pool.checkout({.timeout = 200ms}).call("nothing"); });
    EXPECT_TRUE(late.was_waiting());
    EXPECT_NE(std::string(late.what()).find("too many of them died"), std::string::npos) << late.what();
    EXPECT_EQ(pool.statistics().started, 4U);
    EXPECT_EQ(pool.statistics().alive, 0U);
  });
}

TEST(client_workers, a_crash_loop_ends_by_itself) {
  constexpr auto pause = 200ms;
  client pool({.min_workers = 0,
               .max_workers = 1,
               .restarts = {.deaths_max = 1, .within = 1h, .pause_first = pause, .pause_max = pause}});
  on_fiber([&] {
    const auto start = weft::steady_clock::now();
    for (int i = 0; i < 2; ++i) EXPECT_THROW(pool.call("die_by", SIGKILL), weft::workers::worker_died);
    pool.call("nothing");
    EXPECT_GE(weft::steady_clock::now() - start, pause);
    EXPECT_FALSE(pool.statistics().crash_loop);
  });
}

TEST(client_workers, statistics_count_what_happened) {
  client pool({.min_workers = 1, .max_workers = 2, .timeout = 10s});
  on_fiber([&] {
    auto held = pool.checkout();
    held.call("nothing");
    EXPECT_EQ(pool.statistics().busy, 1U);
    EXPECT_THROW(held.call("die_by", SIGKILL), weft::workers::worker_died);
    const auto now = pool.statistics();
    EXPECT_EQ(now.calls, 2U);
    EXPECT_EQ(now.deaths, 1U);
    EXPECT_EQ(now.started, 2U);
    EXPECT_EQ(now.alive, 1U);
  });
}

TEST(client_workers, a_pool_without_room_is_refused) {
  EXPECT_EQ(caught<weft::error>([] { client pool({.max_workers = 0}); }).code(), errc::invalid_argument);
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
