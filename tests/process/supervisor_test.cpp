#include <weft/process/supervisor.hpp>

#include <gtest/gtest.h>

#include <unistd.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <thread>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/process/child.hpp>
#include <weft/process/socket.hpp>

#include "support/shared_board.hpp"

namespace weft::process {
namespace {

using namespace std::chrono_literals;
using weft_test::comes_true;

/// What the processes of a test tell it, in memory that all have.
struct board {
  std::atomic<int> started{0};
  std::atomic<int> serving{0};  // ready, and have not left
  std::atomic<int> said_ready{0};
  std::atomic<int> served_least{1000};
  std::atomic<int> left{0};
  std::atomic<int> stopped{0};
  std::atomic<int> messages{0};
  std::atomic<int> out_of_order{0};
  std::atomic<int> failing{0};
  std::array<std::atomic<pid_t>, 4> pids{};
};

/// Serves until it is told to go.
int serve(board& on, supervised& me) {
  ++on.started;
  if (on.failing != 0) return 3;
  on.pids[me.number()] = ::getpid();
  ++on.serving;
  me.ready();
  ++on.said_ready;
  while (true) {
    const supervisor_word word = me.hear();
    if (word.what == supervisor_word::kind::message) continue;
    const int with_me = on.serving--;
    if (word.what == supervisor_word::kind::stop) {
      ++on.stopped;
    } else {
      ++on.left;
      on.served_least = std::min<int>(on.served_least, with_me);
    }
    return 0;
  }
}

child supervise(supervisor_options options, std::function<int(supervised&)> body) {
  return child::fork([&] { return supervisor(std::move(options), body).run(); });
}

TEST(supervisor, keeps_its_processes_and_ends_them_at_sigterm) {
  board& on = weft_test::make_shared_board<board>();
  child running = supervise({.processes = 3}, [&](supervised& me) { return serve(on, me); });
  EXPECT_TRUE(comes_true([&] { return on.said_ready == 3; }));
  const pid_t other = on.pids[0], killed = on.pids[1];
  --on.serving;
  ::kill(killed, SIGKILL);
  EXPECT_TRUE(comes_true([&] { return on.said_ready == 4; }));
  EXPECT_EQ(on.pids[0], other);
  EXPECT_NE(on.pids[1], killed);
  EXPECT_EQ(on.started, 4);
  running.kill(SIGTERM);
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  EXPECT_EQ(on.stopped, 3);
}

TEST(supervisor, a_reload_replaces_each_when_its_successor_is_ready) {
  board& on = weft_test::make_shared_board<board>();
  child running = supervise({.processes = 2}, [&](supervised& me) { return serve(on, me); });
  EXPECT_TRUE(comes_true([&] { return on.serving == 2; }));
  for (int round = 1; round <= 5; ++round) {
    running.kill(SIGHUP);
    EXPECT_TRUE(comes_true([&] { return on.left == 2 * round; })) << round;
  }
  EXPECT_EQ(on.served_least, 3);  // who left, and two more
  EXPECT_EQ(on.started, 12);
  running.kill(SIGTERM);
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

TEST(supervisor, a_successor_that_fails_changes_nothing) {
  board& on = weft_test::make_shared_board<board>();
  child running = supervise({.processes = 2}, [&](supervised& me) { return serve(on, me); });
  EXPECT_TRUE(comes_true([&] { return on.serving == 2; }));
  on.failing = 1;
  running.kill(SIGHUP);
  EXPECT_TRUE(comes_true([&] { return on.started == 3; }));
  on.failing = 0;
  EXPECT_FALSE(running.wait_for(50ms));
  EXPECT_EQ(on.started, 3);  // the second one was not tried
  EXPECT_EQ(on.serving, 2);
  running.kill(SIGHUP);
  EXPECT_TRUE(comes_true([&] { return on.left == 2; }));
  running.kill(SIGTERM);
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

TEST(supervisor, one_that_asks_for_a_successor_leaves_when_that_is_ready) {
  board& on = weft_test::make_shared_board<board>();
  child running = supervise({.processes = 2}, [&](supervised& me) {
    if (me.number() == 1 && on.messages++ == 0) {
      me.ready();
      me.ask_for_successor();
      me.ask_for_successor();
    }
    return serve(on, me);
  });
  EXPECT_TRUE(comes_true([&] { return on.left == 1 && on.said_ready == 3; }));
  running.kill(SIGTERM);
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  EXPECT_EQ(on.stopped, 2);
}

TEST(supervisor, gives_up_where_none_is_ever_ready) {
  board& on = weft_test::make_shared_board<board>();
  on.failing = 1;
  child running = supervise({.processes = 2}, [&](supervised& me) { return serve(on, me); });
  EXPECT_EQ(running.wait(), exit_status::exited(1));
  EXPECT_LE(on.started, 3);  // the first one may have been tried again before the second one ended
}

TEST(supervisor, who_is_not_ready_in_time_is_killed_and_replaced) {
  board& on = weft_test::make_shared_board<board>();
  child running = supervise({.processes = 2, .ready_within = 1s}, [&](supervised& me) {
    if (me.number() == 1 && on.messages++ == 0) std::this_thread::sleep_for(1h);
    return serve(on, me);
  });
  EXPECT_TRUE(comes_true([&] { return on.serving == 2; }));
  running.kill(SIGTERM);
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

TEST(supervisor, too_many_deaths_make_it_pause) {
  board& on = weft_test::make_shared_board<board>();
  child running = supervise(
      {.processes = 1, .restarts = {.deaths_max = 3, .within = 1h, .pause_first = 1h, .pause_max = 1h}},
      [&](supervised& me) {
        ++on.started;
        me.ready();
        return 4;
      });
  EXPECT_TRUE(comes_true([&] { return on.started == 4; }));
  EXPECT_FALSE(running.wait_for(50ms));
  EXPECT_EQ(on.started, 4);
  running.kill(SIGTERM);
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

TEST(supervisor, messages_reach_all_others_in_order) {
  constexpr int count = 2000;
  board& on = weft_test::make_shared_board<board>();
  child running = supervise({.processes = 3}, [&](supervised& me) {
    ++on.serving;
    me.ready();
    if (me.number() == 0) {
      while (on.serving < 3) std::this_thread::sleep_for(1ms);
      for (int i = 0; i < count; ++i) {
        while (i - on.messages / 2 > 100) std::this_thread::sleep_for(1ms);
        me.tell_others(std::to_string(i) + std::string(static_cast<std::size_t>(i % 1000), 'x'));
      }
      EXPECT_THROW(me.tell_others(std::string(supervised::message_bytes_max + 1, 'x')), error);
    }
    for (int next = 0;; ++next) {
      const supervisor_word word = me.hear();
      if (word.what != supervisor_word::kind::message) return 0;
      if (std::stoi(word.text) != next) ++on.out_of_order;
      ++on.messages;
    }
  });
  EXPECT_TRUE(comes_true([&] { return on.messages == 2 * count; }));
  EXPECT_EQ(on.out_of_order, 0);
  running.kill(SIGTERM);
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

TEST(supervisor, one_that_does_not_stop_is_killed) {
  board& on = weft_test::make_shared_board<board>();
  const auto deaf = [&](supervised& me) {
    me.ready();
    ++on.serving;
    std::this_thread::sleep_for(1h);
    return 0;
  };
  child patient = supervise({.processes = 1, .stop_grace = 20ms}, deaf);
  EXPECT_TRUE(comes_true([&] { return on.serving == 1; }));
  patient.kill(SIGTERM);
  EXPECT_EQ(patient.wait(), exit_status::exited(0));
  child pressed = supervise({.processes = 1, .stop_grace = 1h}, deaf);
  EXPECT_TRUE(comes_true([&] { return on.serving == 2; }));
  pressed.kill(SIGTERM);
  EXPECT_FALSE(pressed.wait_for(20ms));
  pressed.kill(SIGINT);
  EXPECT_EQ(pressed.wait(), exit_status::exited(0));
}

TEST(supervisor, its_death_takes_its_processes_along) {
  board& on = weft_test::make_shared_board<board>();
  pipe_ends alive = make_pipe();
  child running = supervise({.processes = 3}, [&](supervised& me) {
    std::signal(SIGTERM, SIG_IGN);
    me.ready();
    ++on.serving;
    std::this_thread::sleep_for(1h);
    return 0;
  });
  alive.writer.reset();
  EXPECT_TRUE(comes_true([&] { return on.serving == 3; }));
  running.kill(SIGKILL);
  running.wait();
  char byte;
  EXPECT_EQ(::read(alive.reader.get(), &byte, 1), 0);  // the last one is gone
}

TEST(supervisor, is_not_for_a_process_with_threads) {
  std::atomic<bool> leave{false};
  std::thread other([&] {
    while (!leave) std::this_thread::sleep_for(1ms);
  });
  supervisor never({.processes = 1}, [](supervised&) { return 0; });
  EXPECT_THROW(never.run(), error);
  leave = true;
  other.join();
  EXPECT_THROW(supervisor({.processes = 0}, [](supervised&) { return 0; }), error);
}

}  // namespace
}  // namespace weft::process
