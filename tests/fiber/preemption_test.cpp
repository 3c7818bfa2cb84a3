// Compiled with a safepoint at every basic block, see weft_preemptible() in CMakeLists.txt.
#include <weft/fiber/preemption.hpp>

#include <gtest/gtest.h>

#include <pthread.h>
#include <time.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <stdexcept>

#include <weft/context/wait.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

namespace {

/// Passes many safepoints after the monitor has found that the turn has lasted long enough.
void passes_due_safepoints() {
  while (!weft::detail::turn_due.load(std::memory_order_relaxed)) {
  }
  static std::atomic<int> blocks{0};
  for (int i = 0; i < 100'000; ++i) blocks.fetch_add(i % 2 == 0 ? 1 : 2, std::memory_order_relaxed);
}

/// Runs `body` with a second fiber ready that counts; the monitor watches the turns by then.
template <typename Body>
void with_another_ready(Body body) {
  weft::run([&] {
    weft::yield_if_due();  // the first in a run starts the watch
    std::atomic<bool> other_ran{false};
    auto other = weft::go([&] { other_ran = true; });
    body(other_ran);
    other.join();
  });
}

TEST(preemption, lets_others_run_while_a_fiber_loops_for_ever) {
  std::atomic<bool> stop{false};
  weft::run([&] {
    auto endless = weft::go([&] {
      while (!stop.load(std::memory_order_relaxed)) {
      }
    });
    weft::go([&] { stop = true; });
    endless.join();
  });
  EXPECT_TRUE(stop);
}

/// CPU time of this thread: what others take of a busy machine does not count.
std::chrono::nanoseconds thread_time() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

// A thread of its own looks for long turns, and that one may come late on a busy machine: not each turn is so
// short, but some are.
TEST(preemption, lets_others_run_within_twenty_milliseconds_of_an_endless_loop) {
  constexpr int turns_max = 200;
  int short_turns = 0;
  int turns = 0;
  weft::run([&] {
    weft::yield_if_due();  // the first in a run starts the watch
    std::atomic<bool> stop{false};
    auto other = weft::go([&] {
      for (; short_turns < 5 && turns < turns_max; ++turns) {
        const auto before = thread_time();
        weft::yield();
        if (thread_time() - before <= std::chrono::milliseconds(20)) ++short_turns;
      }
      stop = true;
    });
    while (!stop.load(std::memory_order_relaxed)) {
    }
    other.join();
  });
  EXPECT_EQ(short_turns, 5) << "of " << turns;
}

TEST(preemption, keeps_errno_and_exceptions_of_the_fiber) {
  with_another_ready([](std::atomic<bool>& other_ran) {
    auto disturber = weft::go([] { errno = 9; });
    try {
      throw std::runtime_error("mine");
    } catch (const std::runtime_error&) {
      errno = 5;
      while (!other_ran.load(std::memory_order_relaxed)) {
      }
      EXPECT_EQ(errno, 5);
      EXPECT_THROW(throw, std::runtime_error);
    }
    disturber.join();
  });
}

TEST(preemption, does_not_switch_in_a_no_wait_scope) {
  with_another_ready([](std::atomic<bool>& other_ran) {
    {
      const weft::no_wait_scope scope("a test");
      passes_due_safepoints();
      EXPECT_FALSE(other_ran);
    }
    while (!other_ran.load(std::memory_order_relaxed)) {
    }
  });
}

TEST(preemption, does_not_switch_in_a_preemption_off_scope) {
  with_another_ready([](std::atomic<bool>& other_ran) {
    const weft::preemption_off off;
    passes_due_safepoints();
    EXPECT_FALSE(other_ran);
    weft::yield_if_due();  // asked for: that is something else
    EXPECT_TRUE(other_ran);
  });
}

TEST(preemption, does_not_switch_a_fiber_that_was_made_so) {
  with_another_ready([](std::atomic<bool>& other_ran) {
    weft::go_now(
        [&] {
          passes_due_safepoints();
          EXPECT_FALSE(other_ran);
        },
        {.preemptible = false})
        .join();
  });
}

/// Its initialiser runs at every call, as it always throws.
int never_has_a_value(const std::atomic<bool>& other_ran, bool& ran) {
  static const int value = [&]() -> int {
    passes_due_safepoints();
    ran = other_ran;
    throw std::runtime_error("no value");
  }();
  return value;
}

TEST(preemption, does_not_switch_in_a_static_initialiser_and_does_after_it_has_thrown) {
  with_another_ready([](std::atomic<bool>& other_ran) {
    bool ran = true;
    EXPECT_THROW(never_has_a_value(other_ran, ran), std::runtime_error);
    EXPECT_FALSE(ran);
    while (!other_ran.load(std::memory_order_relaxed)) {
    }
  });
}

int has_a_value() {
  static const int value = [] {
    passes_due_safepoints();
    return 7;
  }();
  return value;
}

TEST(preemption, goes_on_after_a_static_initialiser) {
  with_another_ready([](std::atomic<bool>& other_ran) {
    EXPECT_EQ(has_a_value(), 7);
    while (!other_ran.load(std::memory_order_relaxed)) {
    }
  });
}

TEST(preemption, does_not_switch_while_an_exception_is_in_flight) {
  struct at_unwinding {
    const std::atomic<bool>& other_ran;
    bool& ran;
    ~at_unwinding() {
      passes_due_safepoints();
      ran = other_ran;
    }
  };
  with_another_ready([](std::atomic<bool>& other_ran) {
    bool ran = true;
    try {
      const at_unwinding guard{other_ran, ran};
      throw std::runtime_error("unwinds");
    } catch (const std::runtime_error&) {
      EXPECT_FALSE(ran);
    }
    while (!other_ran.load(std::memory_order_relaxed)) {
    }
  });
}

TEST(preemption, does_not_switch_under_a_lock_of_weft) {
  with_another_ready([](std::atomic<bool>& other_ran) {
    weft::detail::spin_lock lock;
    {
      const std::lock_guard held(lock);
      passes_due_safepoints();
      EXPECT_FALSE(other_ran);
    }
    while (!other_ran.load(std::memory_order_relaxed)) {
    }
  });
}

// Why a std::mutex needs a no_wait_scope in such a target: it belongs to the thread, and all fibers of a loop
// are one thread. This one says so, where a std::mutex would wait for ever.
struct checking_mutex {
  checking_mutex() {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
  }
  ~checking_mutex() { pthread_mutex_destroy(&mutex); }
  pthread_mutex_t mutex;
};

int what_a_second_fiber_gets(bool in_no_wait_scope) {
  int got = -1;
  weft::run([&] {
    weft::yield_if_due();
    checking_mutex shared;
    std::atomic<bool> other_ran{false};
    auto other = weft::go([&] {
      got = pthread_mutex_lock(&shared.mutex);
      if (got == 0) pthread_mutex_unlock(&shared.mutex);
      other_ran = true;
    });
    if (in_no_wait_scope) {
      const weft::no_wait_scope scope("a section under a std::mutex");
      pthread_mutex_lock(&shared.mutex);
      passes_due_safepoints();
      pthread_mutex_unlock(&shared.mutex);
    } else {
      pthread_mutex_lock(&shared.mutex);
      while (!other_ran.load(std::memory_order_relaxed)) {
      }
      pthread_mutex_unlock(&shared.mutex);
    }
    other.join();
  });
  return got;
}

TEST(preemption, of_a_fiber_that_holds_a_thread_mutex_would_deadlock_the_next_that_locks_it) {
  EXPECT_EQ(what_a_second_fiber_gets(false), EDEADLK);
  EXPECT_EQ(what_a_second_fiber_gets(true), 0);
}

TEST(preemption, does_nothing_on_a_plain_thread) {
  weft::yield_if_due();
  EXPECT_FALSE(weft::detail::turn_due);
  weft::yield_if_due();
}

TEST(preemption, works_on_each_of_several_loops) {
  std::atomic<int> ended{0};
  weft::run(
      [&] {
        std::atomic<bool> stop{false};
        for (int i = 0; i < 6; ++i) {
          weft::go([&] {
            while (!stop.load(std::memory_order_relaxed)) {
            }
            ++ended;
          });
        }
        weft::go([&] { stop = true; }).join();
        while (ended < 6) weft::yield();
      },
      {.threads = 2});
  EXPECT_EQ(ended, 6);
}

}  // namespace
