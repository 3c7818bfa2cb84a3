#include <gtest/gtest.h>

#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include <weft/context/cancellation.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/hook/calls.hpp>
#include <weft/hook/hook.hpp>

#include "hook/blocking_descriptors.hpp"
#include "support/descriptors.hpp"

// Hooked calls and what belongs to the task: cancellation, deadline, scopes, signals, forks.

namespace {

using namespace std::chrono_literals;

/// What each call says to a task that must give up.
void expect_all_give_up(const blocking_pair& sockets, const blocking_pipe& ends, int why) {
  char got = 0;
  const auto expect = [why](const char* call, long result) {
    EXPECT_EQ(result, -1) << call;
    EXPECT_EQ(errno, why) << call;
    errno = 0;
  };
  expect("recv", recv(sockets.here.get(), &got, 1, 0));
  expect("read", read(ends.reader.get(), &got, 1));
  pollfd all[2] = {{sockets.here.get(), POLLIN, 0}, {ends.reader.get(), POLLIN, 0}};
  expect("poll", poll(all, 1, -1));
  expect("poll of two", poll(all, 2, -1));
  const timespec long_time{1000, 0};
  timespec left{};
  expect("nanosleep", nanosleep(&long_time, &left));
  EXPECT_GT(left.tv_sec, 900);
  EXPECT_GT(sleep(1000), 900U);
  EXPECT_EQ(errno, why);
  EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &long_time, nullptr), why);
  addrinfo* found = nullptr;
  EXPECT_EQ(getaddrinfo("localhost", nullptr, nullptr, &found), EAI_SYSTEM);
  EXPECT_EQ(errno, why);
}

TEST(hooked_task, a_cancelled_task_sees_ecanceled_and_its_next_wait_throws) {
  weft::run([] {
    const blocking_pair sockets;
    const blocking_pipe ends;
    bool gave_up = false;
    auto task = weft::go([&] {
      char got = 0;
      EXPECT_EQ(read(sockets.here.get(), &got, 1), -1);
      EXPECT_EQ(errno, ECANCELED);
      expect_all_give_up(sockets, ends, ECANCELED);
      // What need not wait is done: a library can say goodbye.
      EXPECT_EQ(send(sockets.here.get(), "bye", 3, 0), 3);
      gave_up = true;
      weft::yield();
      ADD_FAILURE() << "the cancellation was lost";
    });
    weft::yield();
    task.cancel();
    EXPECT_THROW(task.join(), weft::cancelled);
    EXPECT_TRUE(gave_up);
    char got[4] = {};
    EXPECT_EQ(recv(sockets.there.get(), got, 3, 0), 3);
  });
}

TEST(hooked_task, a_deadline_shows_as_etimedout) {
  weft::run([] {
    const blocking_pair sockets;
    const blocking_pipe ends;
    EXPECT_THROW(weft::with_timeout(5ms,
                                    [&] {
                                      char got = 0;
                                      EXPECT_EQ(read(sockets.here.get(), &got, 1), -1);
                                      EXPECT_EQ(errno, ETIMEDOUT);
                                      expect_all_give_up(sockets, ends, ETIMEDOUT);
                                      weft::yield();
                                    }),
                 weft::error);
  });
}

TEST(hooked_task, a_shield_covers_hooked_calls) {
  weft::run([] {
    const blocking_pair sockets;
    auto task = weft::go([&] {
      weft::shield([&] {
        char got = 0;
        EXPECT_EQ(read(sockets.here.get(), &got, 1), 1);
      });
    });
    weft::yield();
    task.cancel();
    weft::yield();
    EXPECT_FALSE(task.done());
    EXPECT_EQ(write(sockets.there.get(), "x", 1), 1);
    task.join();
  });
}

/// Does `wait`, which takes a while, let another fiber run?
template <typename Wait>
bool lets_others_run(Wait&& wait) {
  bool ran = false;
  auto other = weft::go([&] { ran = true; });
  wait();
  const bool result = ran;
  other.join();
  return result;
}

TEST(hooked_task, switched_off_a_call_blocks_the_thread) {
  weft::run([] {
    const auto nap = [] { usleep(1000); };
    EXPECT_TRUE(lets_others_run(nap));
    EXPECT_FALSE(lets_others_run([&] {
      const weft::hook::off outer;
      const weft::hook::off inner;
      nap();
    }));
    EXPECT_FALSE(lets_others_run([&] {
      const weft::no_wait_scope as_a_whole("a test");
      nap();
    }));
    EXPECT_TRUE(lets_others_run(nap));
    weft::hook::set_hooked(weft::hook::calls::sockets | weft::hook::calls::polls);
    EXPECT_FALSE(lets_others_run(nap));
    EXPECT_TRUE(lets_others_run([] { poll(nullptr, 0, 1); }));
    weft::hook::set_hooked(weft::hook::calls::none);
    EXPECT_FALSE(lets_others_run([] { poll(nullptr, 0, 1); }));
    EXPECT_TRUE(lets_others_run([] { weft::hook::usleep(1000); }));
    EXPECT_TRUE(lets_others_run([] { weft::hook::poll(nullptr, 0, 1); }));
    weft::hook::set_hooked(weft::hook::calls::all);
    EXPECT_EQ(weft::hook::hooked(), weft::hook::calls::all);
  });
}

TEST(hooked_task, off_holds_for_one_fiber_only_also_across_its_waits) {
  weft::run([] {
    auto first = weft::go([] {
      const weft::hook::off here;
      weft::yield();
      weft::yield();
      EXPECT_FALSE(lets_others_run([] { usleep(1000); }));
    });
    weft::yield();
    EXPECT_TRUE(lets_others_run([] { usleep(1000); }));
    first.join();
  });
}

TEST(hooked_task, sockets_and_others_are_hooked_apart) {
  weft::run([] {
    const blocking_pair sockets;
    const blocking_pipe ends;
    const auto reads = [](int from, int to) {
      auto reader = weft::go([from] {
        char got = 0;
        return read(from, &got, 1);
      });
      weft::yield();
      EXPECT_FALSE(reader.done());
      EXPECT_EQ(write(to, "x", 1), 1);
      EXPECT_EQ(reader.join(), 1);
    };
    // With the other kind off. A read that blocked would not come back.
    weft::hook::set_hooked(weft::hook::calls::sockets);
    reads(sockets.here.get(), sockets.there.get());
    weft::hook::set_hooked(weft::hook::calls::descriptors);
    reads(ends.reader.get(), ends.writer.get());
    weft::hook::set_hooked(weft::hook::calls::all);
  });
}

TEST(hooked_task, the_wrappers_move_bytes) {
  weft::run([] {
    namespace hook = weft::hook;
    hook::set_hooked(hook::calls::none);
    blocking_listener listening;
    auto server = weft::go([&] {
      const weft::unique_fd taken(hook::accept(listening.fd.get(), nullptr, nullptr));
      char got[8] = {};
      EXPECT_EQ(hook::read(taken.get(), got, sizeof got), 2);
      iovec part{got, sizeof got};
      EXPECT_EQ(hook::write(taken.get(), got, 1), 1);
      EXPECT_EQ(hook::readv(taken.get(), &part, 1), 3);
      EXPECT_EQ(hook::recvfrom(taken.get(), got, sizeof got, 0, nullptr, nullptr), 0);
    });
    weft::yield();
    const weft::unique_fd client(socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(hook::connect(client.get(), listening.generic(), sizeof listening.address), 0);
    EXPECT_EQ(hook::send(client.get(), "ab", 2, 0), 2);
    char got = 0;
    EXPECT_EQ(hook::recv(client.get(), &got, 1, 0), 1);
    iovec part{const_cast<char*>("cde"), 3};
    EXPECT_EQ(hook::writev(client.get(), &part, 1), 3);
    shutdown(client.get(), SHUT_WR);
    server.join();
    hook::set_hooked(hook::calls::all);
  });
}

volatile sig_atomic_t handled = 0;

TEST(hooked_task, a_signal_handler_never_suspends_the_fiber_it_interrupted) {
  struct sigaction former {};
  struct sigaction action {};
  action.sa_handler = [](int) {
    usleep(1000);
    handled = 1;
  };
  ASSERT_EQ(sigaction(SIGUSR1, &action, &former), 0);
  weft::run([] {
    EXPECT_FALSE(lets_others_run([] { raise(SIGUSR1); }));
    EXPECT_EQ(handled, 1);
    EXPECT_TRUE(lets_others_run([] { usleep(1000); })) << "after it calls wait again";
  });
  struct sigaction shown {};
  ASSERT_EQ(sigaction(SIGUSR1, &former, &shown), 0);
  EXPECT_EQ(shown.sa_handler, action.sa_handler) << "a program sees the handler it has set";
  EXPECT_EQ(shown.sa_flags & SA_SIGINFO, 0);
  EXPECT_EQ(signal(SIGUSR1, SIG_IGN), former.sa_handler);
  EXPECT_EQ(signal(SIGUSR1, SIG_DFL), SIG_IGN);
}

/// The child of a vfork, which runs in our memory, closes its copy and sleeps.
[[gnu::noinline]] pid_t close_in_vfork(int fd) {
  const pid_t child = vfork();
  if (child == 0) {
    close(fd);
    usleep(1000);
    _exit(0);
  }
  return child;
}

TEST(hooked_task, a_child_blocks_as_ever_and_closes_only_its_own) {
  weft::run([] {
    const blocking_pair sockets;
    const blocking_pipe answers;
    auto reader = weft::go([&] {
      char got = 0;
      EXPECT_EQ(read(sockets.here.get(), &got, 1), 1);
    });
    weft::yield();
    const auto expect_good_end = [&](pid_t child) {
      ASSERT_GT(child, 0);
      int status = -1;
      EXPECT_EQ(waitpid(child, &status, 0), child);
      EXPECT_EQ(status, 0);
      weft::yield();
      EXPECT_FALSE(reader.done());
    };
    const pid_t child = fork();
    if (child == 0) {
      close(sockets.here.get());
      usleep(1000);
      char got = 0;
      _exit(read(answers.reader.get(), &got, 1) == 1 && got == 'g' ? 0 : 1);
    }
    put(answers.writer.get(), "g");
    expect_good_end(child);
    expect_good_end(close_in_vfork(sockets.here.get()));
    EXPECT_EQ(write(sockets.there.get(), "x", 1), 1);
    reader.join();
  });
}

}  // namespace
