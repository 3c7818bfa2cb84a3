#include <weft/fiber/run.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <weft/fiber/dump.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/preemption.hpp>

namespace {

using namespace std::chrono_literals;

/// Reports of the fibers named hog in one run: on a busy machine others hold their threads as well.
class reports {
 public:
  weft::run_options options() {
    return {.watchdog = 20ms, .on_long_turn = [this](const weft::long_turn& turn) {
              if (turn.name != "hog") return;
              const std::lock_guard lock(mutex_);
              all_.push_back(turn);
              ++count;
            }};
  }
  weft::long_turn operator[](std::size_t index) {
    const std::lock_guard lock(mutex_);
    return all_.at(index);
  }
  std::atomic<int> count{0};

 private:
  std::mutex mutex_;
  std::vector<weft::long_turn> all_;
};

[[gnu::noinline]] void holds_the_thread_until(const std::atomic<int>& count, int wanted) {
  while (count < wanted) {
  }
  asm volatile("" ::: "memory");
}

TEST(watchdog, names_the_fiber_that_holds_its_thread_and_its_calls) {
  reports seen;
  std::uint64_t id = 0;
  weft::run(
      [&] {
        weft::go(
            [&] {
              id = weft::this_fiber::id();
              holds_the_thread_until(seen.count, 1);
            },
            {.name = "hog"})
            .join();
      },
      seen.options());
  ASSERT_GE(seen.count, 1);
  EXPECT_EQ(seen[0].fiber_id, id);
  EXPECT_GE(seen[0].lasted, 20ms);
  EXPECT_NE(seen[0].calls.find("holds_the_thread_until("), std::string::npos) << seen[0].calls;
}

TEST(watchdog, reports_each_long_turn_once) {
  reports seen;
  weft::run(
      [&] {
        weft::go(
            [&] {
              holds_the_thread_until(seen.count, 1);
              const auto until = std::chrono::steady_clock::now() + 100ms;
              while (std::chrono::steady_clock::now() < until) {
              }
              EXPECT_EQ(seen.count, 1);
              weft::sleep_for(1ms);
              holds_the_thread_until(seen.count, 2);
            },
            {.name = "hog"})
            .join();
      },
      seen.options());
  EXPECT_EQ(seen.count, 2);
}

TEST(watchdog, does_not_look_at_the_stack_while_an_exception_is_in_flight) {
  struct at_unwinding {
    const std::atomic<int>& count;
    ~at_unwinding() { holds_the_thread_until(count, 1); }
  };
  reports seen;
  weft::run(
      [&] {
        weft::go(
            [&] {
              try {
                const at_unwinding guard{seen.count};
                throw std::runtime_error("unwinds");
              } catch (const std::runtime_error&) {
              }
            },
            {.name = "hog"})
            .join();
      },
      seen.options());
  EXPECT_EQ(seen[0].calls, "");
}

TEST(watchdog, sees_every_loop) {
  reports seen;
  auto options = seen.options();
  options.threads = 3;
  weft::run(
      [&] {
        std::atomic<int> started{0};
        std::vector<weft::fiber<void>> hogs;
        for (int i = 0; i < 3; ++i) {
          hogs.push_back(weft::go(
              [&] {
                ++started;
                holds_the_thread_until(started, 3);  // one on each
                holds_the_thread_until(seen.count, 3);
              },
              {.name = "hog"}));
        }
        for (auto& one : hogs) one.join();
      },
      options);
  EXPECT_GE(seen.count, 3);
}

TEST(yield_if_due, lets_others_run_in_a_long_computation) {
  std::atomic<bool> stop{false};
  weft::run([&] {
    auto endless = weft::go([&] {
      while (!stop) weft::yield_if_due();
    });
    weft::go([&] { stop = true; });
    endless.join();
  });
  EXPECT_TRUE(stop);
}

TEST(yield_if_due, still_works_after_all_loops_have_slept) {
  std::atomic<bool> stop{false};
  weft::run([&] {
    weft::yield_if_due();
    weft::sleep_for(30ms);
    auto endless = weft::go([&] {
      while (!stop) weft::yield_if_due();
    });
    weft::go([&] { stop = true; });
    endless.join();
  });
  EXPECT_TRUE(stop);
}

/// stderr of the process, as long as it lives.
class stderr_pipe {
 public:
  stderr_pipe() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    read_end_ = ends[0];
    former_ = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
  }
  ~stderr_pipe() {
    dup2(former_, STDERR_FILENO);
    close(former_);
    close(read_end_);
  }
  /// Everything so far.
  const std::string& text() {
    char part[4096];
    for (ssize_t count = 0; (count = read(read_end_, part, sizeof part)) > 0;) {
      text_.append(part, static_cast<std::size_t>(count));
    }
    return text_;
  }

 private:
  int read_end_ = -1;
  int former_ = -1;
  std::string text_;
};

TEST(dump_on_sigquit, prints_the_fibers_and_goes_on) {
  stderr_pipe errors;
  const int status = weft::run(
      [&] {
        auto sleeper = weft::go([] { weft::sleep_for(1h); }, {.name = "sleeper"});
        while (weft::dump_fibers().find("\"sleeper\" waits in sleep") == std::string::npos)
          weft::sleep_for(1ms);
        kill(getpid(), SIGQUIT);
        while (errors.text().find("\"sleeper\" waits in sleep") == std::string::npos) weft::sleep_for(1ms);
        sleeper.cancel();
        return 3;
      },
      {.threads = 2, .dump_on_sigquit = true});
  EXPECT_EQ(status, 3);
  EXPECT_NE(errors.text().find("weft: SIGQUIT: 2 fibers"), std::string::npos);
}

std::atomic<int> own_handler_calls{0};

TEST(dump_on_sigquit, leaves_the_handler_of_the_program_in_force) {
  stderr_pipe errors;
  struct sigaction former {};
  struct sigaction own {};
  own_handler_calls = 0;
  own.sa_handler = [](int) { ++own_handler_calls; };
  sigaction(SIGQUIT, &own, &former);
  weft::run(
      [&] {
        weft::sleep_for(1ms);
        kill(getpid(), SIGQUIT);
        while (errors.text().find("\"main\"") == std::string::npos) weft::sleep_for(1ms);
      },
      {.dump_on_sigquit = true});
  EXPECT_EQ(own_handler_calls, 1);
  kill(getpid(), SIGQUIT);
  EXPECT_EQ(own_handler_calls, 2);
  sigaction(SIGQUIT, &former, nullptr);
}

}  // namespace
