#include <weft/fiber/timer.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/simulate.hpp>

#include "fiber/sanitizer.hpp"
#include "support/memory.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

TEST(timer, is_dropped_inside_its_own_tick_without_waiting_for_itself) {
  weft::run([] {
    weft::event dropped;
    auto timer = std::make_unique<weft::timer>();
    *timer = weft::every(1ms, [&] {
      timer.reset();
      dropped.set();
    });
    dropped.wait();
  });
}

TEST(timer, cancelled_from_another_thread_gives_its_captures_back_at_once_and_lets_the_run_end) {
  const auto captured = std::make_shared<int>(0);
  std::thread other;
  weft::run([&] {
    auto timer = std::make_unique<weft::timer>(weft::after(1h, [captured] {}));
    other = std::thread([timer = std::move(timer), &captured] {
      EXPECT_TRUE(timer->cancel());
      EXPECT_EQ(captured.use_count(), 1);
    });
  });
  other.join();
}

TEST(timer, of_great_number_is_cancelled_from_other_threads_while_the_loop_fires_them) {
  struct outcome {
    std::atomic<int> called{0};
    std::atomic<int> ended{0};
    bool cancelled = false;  // by the thread that has the handle
  };
  struct counted {
    explicit counted(outcome& kept) : of(&kept) {}
    counted(counted&& other) noexcept : of(std::exchange(other.of, nullptr)) {}
    ~counted() {
      if (of != nullptr) ++of->ended;
    }
    outcome* of;
  };
  constexpr std::size_t count = sanitized ? 2000 : 20'000;
  std::vector<outcome> outcomes(count);
  weft::run([&] {
    std::vector<weft::timer> timers;
    for (std::size_t i = 0; i < count; ++i) {
      // Some that are surely cancelled, however late the threads come.
      const std::chrono::milliseconds delay = i % 20 == 19 ? 1h : std::chrono::milliseconds(i % 20);
      timers.push_back(weft::after(delay, [held = counted(outcomes[i])] { ++held.of->called; }));
    }
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = t; i < count; i += 3) {
          outcomes[i].cancelled = timers[i].cancel();
          if (i % 2 == 0) timers[i] = weft::timer();
        }
      });
    }
    weft::sleep_for(5ms);
    // Not on this thread: they wait for ticks that are under way, which run here.
    weft::blocking([&] {
      for (auto& one : threads) one.join();
    });
  });
  std::size_t never_called = 0;
  for (const outcome& one : outcomes) {
    EXPECT_EQ(one.ended, 1);
    EXPECT_LE(one.called + (one.cancelled ? 1 : 0), 1);
    if (one.called == 0) ++never_called;
  }
  EXPECT_GE(never_called, count / 20);
}

TEST(timer, handle_outlives_its_run_on_any_thread) {
  weft::timer kept;
  weft::run([&] { kept = weft::after(1h, [] {}, {.keeps_run = false}); });
  EXPECT_FALSE(kept.active());
  std::thread([moved = std::move(kept)]() mutable {
    EXPECT_FALSE(moved.cancel());
    moved = weft::timer();
  }).join();
}

TEST(timer, works_on_every_loop_of_a_run) {
  std::atomic<int> calls{0};
  weft::run(
      [&] {
        weft::scope all;
        for (int i = 0; i < 40; ++i) {
          all.go([&] {
            weft::event done;
            auto one = weft::after(1ms, [&] {
              ++calls;
              done.set();
            });
            auto never = weft::after(1h, [] {});
            done.wait();
            never.cancel();
          });
        }
        all.join();
      },
      {.threads = 3});
  EXPECT_EQ(calls, 40);
}

TEST(timer, handles_move_between_loops) {
  weft::run(
      [] {
        std::vector<weft::timer> timers(200);
        for (auto& one : timers) one = weft::after(1h, [] {});
        weft::scope all;
        for (auto& one : timers) {
          all.go([&one] {
            EXPECT_TRUE(one.cancel());
            weft::yield();
            one = weft::after(1ms, [] {});
          });
        }
        all.join();
      },
      {.threads = 3});
}

TEST(timer, is_due_in_order_and_never_early_under_every_seed) {
  for (std::uint64_t seed = 1; seed <= (sanitized ? 100 : 1000); ++seed) {
    weft::simulate(seed, [] {
      weft::scope all;
      for (int i = 0; i < 4; ++i) {
        all.go([i] {
          int ticks = 0;
          const auto start = weft::steady_clock::now();
          weft::event enough;
          auto periodic = weft::every(std::chrono::milliseconds(2 + i), [&] {
            ++ticks;
            EXPECT_GE(weft::steady_clock::now() - start, std::chrono::milliseconds((2 + i) * ticks));
            weft::yield();
            if (ticks == 3) enough.set();
          });
          auto never = weft::after(8ms, [] {});
          weft::after(1h, [] {}, {.keeps_run = false}).detach();
          enough.wait();
          if (i % 2 == 0) never.cancel();
          periodic.stop();
          EXPECT_GE(periodic.info().ticks, 3U);
        });
      }
      all.join();
      weft::after(5ms, [] { weft::yield(); }).detach();
    });
  }
}

TEST(list_timers, shows_those_that_are_active) {
  weft::run([] {
    const auto before = weft::statistics_of_timers();
    auto one = weft::after(1h, [] {}, {.name = "one"});
    auto two = weft::every(2h, [] {});
    const auto all = weft::list_timers();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& info) { return info.id == one.id(); });
    ASSERT_NE(found, all.end());
    EXPECT_EQ(found->name, "one");
    EXPECT_EQ(found->period, 0ns);
    EXPECT_GT(found->due, weft::steady_clock::now() + 59min);
    EXPECT_EQ(two.info().period, 2h);
    one.cancel();
    EXPECT_FALSE(one.active());
    const auto after = weft::statistics_of_timers();
    EXPECT_EQ(after.active, before.active + 1);
    EXPECT_EQ(after.cancelled, before.cancelled + 1);
    for (const auto& info : weft::list_timers()) EXPECT_NE(info.id, one.id());
  });
}

TEST(timer, of_a_million_at_once_takes_no_more_than_it_says) {
  weft::run([] {
    const std::size_t count = sanitized ? 10'000 : 1'000'000;
    std::vector<weft::timer> timers;
    timers.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      timers.push_back(weft::after(std::chrono::seconds(100 + i % 1000), [] {}));
    EXPECT_GE(weft::statistics().timers, count);
    for (std::size_t i = 0; i < count; ++i) EXPECT_TRUE(timers[(i * 7919) % count].cancel());
    EXPECT_LT(weft::statistics().timers, count);
  });
  const auto small = [at = std::uint64_t{}] { static_cast<void>(at); };
  using once = weft::detail::timer_body<std::remove_const_t<decltype(small)>, false, false>;
  EXPECT_LE(sizeof(once), 128U);
}

// In a simulation, because its clock goes on to the next timer at once: they are due within eleven minutes.
//
// A timer with a function of 4 bytes takes 208, with what the heap needs, and its handle 8: in all 2.2 GB.
// The fibers of those that are due come on top, few at a time. Checked programs are slow: a hundredth of
// them.
struct many_timers {
  std::uint32_t count = sanitized || weft::detail::sanitizer::on_valgrind() ? 100'000 : 10'000'000;
  weft::steady_time start;
  std::size_t fired = 0;
  std::size_t not_in_time = 0;

  /// Neither in order nor all over the memory.
  static std::chrono::milliseconds delay(std::uint32_t n) {
    return std::chrono::milliseconds(1 + (n ^ 0xffff) / 16);
  }
  void tick(std::uint32_t n) {
    ++fired;
    if (weft::steady_clock::now() != start + delay(n)) ++not_in_time;
  }
};

TEST(timer, of_ten_million_at_once_is_cancelled_or_fires_in_time_in_the_memory_that_was_said) {
  static many_timers all;  // so that the functions need only 4 bytes
  all = {};
  const std::size_t before = peak_resident_bytes();
  const weft::simulation_options turns_take_no_time{.turns_max = 2 * all.count, .turn_time_max = {}};
  weft::simulate(
      1,
      [] {
        std::vector<weft::timer> timers;
        timers.reserve(all.count);
        all.start = weft::steady_clock::now();
        for (std::uint32_t n = 0; n < all.count; ++n) {
          timers.push_back(weft::after(many_timers::delay(n), [n] { all.tick(n); }));
        }
        EXPECT_EQ(weft::statistics().timers, all.count);
        std::size_t cancelled = 0;
        for (std::uint64_t n = 0; n < all.count / 2; ++n) {
          if (timers[2 * (n * 7919 % (all.count / 2))].cancel()) ++cancelled;
        }
        EXPECT_EQ(cancelled, all.count / 2);
        EXPECT_EQ(weft::statistics().timers, all.count - cancelled);
        weft::sleep_for(1h);
        EXPECT_EQ(weft::statistics().timers, 0U);
        EXPECT_EQ(all.fired, all.count - cancelled);
      },
      turns_take_no_time);
  EXPECT_EQ(all.not_in_time, 0U);
  const std::size_t taken = peak_resident_bytes() - before;
  if (all.count == 10'000'000) {
    EXPECT_LE(taken, std::size_t{all.count} * (144 + 8) * 11 / 10);
  }
}

}  // namespace
