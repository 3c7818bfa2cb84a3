#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/condition.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/select.hpp>
#include <weft/fiber/semaphore.hpp>
#include <weft/fiber/simulate.hpp>
#include <weft/fiber/wait_group.hpp>

#include "support/sanitized.hpp"

// What the runtime promises, in the order of thousands of seeds. Bounds, cancellations and sleeps are drawn,
// so that they meet everything else at every moment.

namespace weft {
namespace {

using simulation::random;
using simulation::require;

constexpr std::size_t seeds = sanitized ? 500 : 5000;

void in_many_orders(void (*program)()) {
  const auto report = simulate_many(program, {.count = seeds});
  EXPECT_EQ(report.runs, seeds);
  EXPECT_GT(report.distinct_traces, seeds / 2);
}

std::chrono::milliseconds some_ms(std::uint64_t below) { return std::chrono::milliseconds(random(below)); }

TEST(simulated_channel, gives_each_value_once_and_in_the_order_of_its_producer) {
  in_many_orders([] {
    constexpr int each = 4, producers = 2, consumers = 2;
    channel<std::pair<int, int>> values(random(3));
    std::array<std::vector<std::pair<int, int>>, consumers> seen;
    wait_group all_pushed(producers);
    scope all;
    for (int producer = 0; producer < producers; ++producer) {
      all.go([&, producer] {
        for (int i = 0; i < each; ++i) require(values.push({producer, i}), "open until all are through");
        all_pushed.done();
      });
    }
    for (auto& mine : seen) {
      all.go([&] {
        while (const auto value = values.pop()) mine.push_back(*value);
      });
    }
    all_pushed.wait();
    values.close();
    all.join();
    std::size_t count = 0;
    for (const auto& mine : seen) {
      count += mine.size();
      std::array<int, producers> last = {-1, -1};
      for (const auto& [producer, i] : mine) {
        require(i > std::exchange(last[static_cast<std::size_t>(producer)], i), "in order");
      }
    }
    require(count == each * producers, "each value once");
  });
}

TEST(simulated_channel, loses_no_value_to_bounds_and_cancellation) {
  in_many_orders([] {
    channel<std::unique_ptr<int>> values(random(2));
    int pushed = 0, popped = 0;
    scope all;
    for (int i = 0; i < 3; ++i) {
      all.go([&] {
        auto value = std::make_unique<int>(1);
        if (values.push_for(value, some_ms(4)) == wait_end::value) {
          ++pushed;
        } else {
          require(value != nullptr, "what was not pushed is still there");
        }
      });
    }
    auto given_up = go([&] { popped += values.pop() ? 1 : 0; });
    all.go([&] { popped += values.pop_for(some_ms(4)) ? 1 : 0; });
    all.go([&] {
      sleep_for(some_ms(4));
      given_up.cancel();
    });
    all.join();
    try {
      given_up.join();
    } catch (const cancelled&) {
    }
    while (values.try_pop()) ++popped;
    require(pushed == popped, "a value was lost or doubled");
  });
}

TEST(simulated_select, does_one_case_and_loses_nothing) {
  in_many_orders([] {
    channel<int> left(random(2)), right(random(2));
    int pushed = 0, popped = 0, timeouts = 0;
    scope all;
    for (int i = 0; i < 2; ++i) {
      all.go([&] {
        for (int round = 0; round < 3; ++round) {
          int done = 0;
          int value = round;
          select(on_push(left, value, [&](bool open) { done += open, pushed += open; }),
                 on_push(right, value, [&](bool open) { done += open, pushed += open; }),
                 on_timeout(some_ms(3), [&] { ++done, ++timeouts; }));
          require(done == 1, "one case");
        }
      });
      all.go([&] {
        for (int round = 0; round < 3; ++round) {
          int done = 0;
          select(on_pop(left, [&](std::optional<int> got) { ++done, popped += got.has_value(); }),
                 on_pop(right, [&](std::optional<int> got) { ++done, popped += got.has_value(); }),
                 on_timeout(some_ms(3), [&] { ++done; }));
          require(done == 1, "one case");
        }
      });
    }
    all.join();
    while (left.try_pop() || right.try_pop()) ++popped;
    require(pushed == popped, "a value was lost or doubled");
    require(pushed + timeouts == 6, "every round ended one way");
  });
}

TEST(simulated_locks, have_one_holder_also_when_bounds_pass) {
  in_many_orders([] {
    mutex lock;
    int inside = 0, had = 0, gone = 0;
    scope all;
    for (int i = 0; i < 4; ++i) {
      all.go([&] {
        std::unique_lock held(lock, std::defer_lock);
        if (random(2) == 0) {
          held.lock();
        } else if (!held.try_lock_for(some_ms(3))) {
          ++gone;
          return;
        }
        require(++inside == 1, "one holder");
        sleep_for(some_ms(3));
        --inside;
        ++had;
      });
    }
    all.join();
    require(had + gone == 4 && lock.try_lock(), "nobody was forgotten");
    lock.unlock();
  });
}

TEST(simulated_locks, hand_out_the_permits_of_a_semaphore_once) {
  in_many_orders([] {
    semaphore permits(2);
    std::size_t held = 0;
    scope all;
    for (int i = 0; i < 4; ++i) {
      all.go([&] {
        const std::size_t wanted = 1 + random(2);
        if (random(2) == 0) {
          permits.acquire(wanted);
        } else if (!permits.try_acquire_for(some_ms(3), wanted)) {
          return;
        }
        held += wanted;
        require(held <= 2, "no more than there are");
        sleep_for(some_ms(3));
        held -= wanted;
        permits.release(wanted);
      });
    }
    all.join();
    require(permits.available() == 2, "all came back");
  });
}

TEST(simulated_locks, lose_no_notification) {
  in_many_orders([] {
    mutex lock;
    condition changed;
    int tokens = 0, taken = 0;
    scope all;
    for (int i = 0; i < 3; ++i) {
      all.go([&] {
        std::unique_lock held(lock);
        while (tokens == 0) changed.wait(held);
        --tokens;
        ++taken;
      });
    }
    all.go([&] {
      for (int i = 0; i < 3; ++i) {
        if (random(2) == 0) sleep_for(some_ms(2));
        const std::lock_guard held(lock);
        ++tokens;
        changed.notify_one();
      }
    });
    all.join();
    require(taken == 3 && tokens == 0, "each token is taken once");
  });
}

TEST(simulated_scope, ends_all_children_and_throws_the_first_error) {
  in_many_orders([] {
    int alive = 0;
    const auto first_to_fail = random(4);
    struct counted {
      explicit counted(int& among) : count(among) { ++count; }
      counted(const counted&) = delete;
      ~counted() { --count; }
      int& count;
    };
    std::string why;
    try {
      scope all;
      for (std::uint64_t i = 0; i < 4; ++i) {
        all.go([&, i] {
          const counted here(alive);
          sleep_for(some_ms(3));
          if (i == first_to_fail) throw std::runtime_error("failed");
          sleep_for(std::chrono::hours(1));
        });
      }
      all.join();
    } catch (const std::runtime_error& failed) {
      why = failed.what();
    }
    require(alive == 0, "destructors ran once each");
    require(why == "failed", "the first error is thrown");
  });
}

TEST(simulated_timers, end_a_wait_at_its_bound_and_not_before) {
  in_many_orders([] {
    event never;
    const auto outer = some_ms(10), inner = some_ms(10), own = some_ms(10);
    const auto begin = steady_clock::now();
    bool by_deadline = false;
    try {
      with_timeout(outer,
                   [&] { with_timeout(inner, [&] { require(!never.wait_for(own), "nobody sets it"); }); });
    } catch (const deadline_exceeded&) {
      by_deadline = true;
    }
    const auto took = steady_clock::now() - begin;
    const auto earliest = std::min({outer, inner, own});
    require(took >= earliest, "not before");
    require(took < earliest + std::chrono::milliseconds(2), "and not long after");
    if (own + std::chrono::milliseconds(2) < std::min(outer, inner))
      require(!by_deadline, "its own bound came first");
  });
}

TEST(simulated_fibers, are_joined_or_cancelled_at_every_moment) {
  in_many_orders([] {
    int ended = 0;
    auto worker = go([&] {
      struct at_end {
        int& count;
        ~at_end() { ++count; }
      } const last{ended};
      for (int i = 0; i < 3; ++i) sleep_for(some_ms(3));
      return 7;
    });
    sleep_for(some_ms(8));
    const bool started = ended > 0 || random(2) == 0;
    if (started) worker.cancel();
    try {
      require(worker.join() == 7, "its value");
    } catch (const cancelled&) {
      require(started, "nobody else cancels it");
    }
    require(ended <= 1, "ended once");
  });
}

}  // namespace
}  // namespace weft
