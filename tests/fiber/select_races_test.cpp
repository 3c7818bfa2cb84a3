// Selects against each other, against bounds and cancellations, in fibers and plain threads.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/select.hpp>
#include <weft/fiber/selector.hpp>

#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

const auto ignore = [](auto&&...) {};

/// For runs that wait for one another: each looks stuck to itself.
weft::run_options no_deadlock_check() {
  weft::run_options options;
  options.deadlock_check = false;
  return options;
}

constexpr int thorough(int rounds) { return sanitized ? rounds / 20 : rounds; }

TEST(select, is_fair_to_channels_that_are_always_ready) {
  constexpr int rounds = 1'000'000;
  std::deque<weft::channel<int>> ready;
  for (int n = 0; n < 4; ++n) ready.emplace_back(1).push(0);
  std::array<int, 4> done{};
  for (int n = 0; n < rounds; ++n) {
    const auto place = weft::select(weft::on_pop(ready[0], ignore), weft::on_pop(ready[1], ignore),
                                    weft::on_pop(ready[2], ignore), weft::on_pop(ready[3], ignore));
    ++done[place];
    ready[place].push(0);
  }
  for (const int count : done) EXPECT_NEAR(count, rounds / 4, rounds / 100);
}

TEST(select, is_fair_to_the_ready_ones_whatever_stands_between_them) {
  constexpr int rounds = 200'000;
  weft::channel<int> first(1), second(1), never(1);
  first.push(0);
  second.push(0);
  std::array<int, 5> done{};
  for (int n = 0; n < rounds; ++n) {
    const auto place =
        weft::select(weft::on_pop(first, ignore), weft::on_pop(second, ignore), weft::on_pop(never, ignore),
                     weft::on_pop(never, ignore), weft::on_pop(never, ignore));
    ++done[place];
    (place == 0 ? first : second).push(0);
  }
  EXPECT_NEAR(done[0], rounds / 2, rounds / 50);
  EXPECT_NEAR(done[1], rounds / 2, rounds / 50);
}

/// Sums of what went out and came in, so that a lost or doubled value shows.
struct tally {
  std::atomic<long long> pushed{0}, popped{0}, pushes{0}, pops{0};
  void push(long long value) {
    pushed += value;
    ++pushes;
  }
  void pop(long long value) {
    popped += value;
    ++pops;
  }
  void check() const {
    EXPECT_EQ(pushed, popped);
    EXPECT_EQ(pushes, pops);
  }
};

/// `rounds` selects, each of which gives to `out` or takes from `in`.
void give_or_take(weft::channel<int>& out, weft::channel<int>& in, int rounds, tally& all) {
  for (int n = 1; n <= rounds; ++n) {
    int value = n;
    weft::select(weft::on_push(out, value,
                               [&](bool pushed) {
                                 if (pushed) all.push(n);
                               }),
                 weft::on_pop(in, [&](std::optional<int> got) { all.pop(*got); }));
  }
}

TEST(select, two_that_face_each_other_over_two_rendezvous_channels_always_meet) {
  const int rounds = thorough(40'000);
  weft::channel<int> left(0), right(0);
  tally all;
  std::thread one([&] { give_or_take(left, right, rounds, all); });
  give_or_take(right, left, rounds, all);
  one.join();
  all.check();
  EXPECT_EQ(all.pushes, rounds);
}

TEST(select, two_that_face_each_other_meet_also_as_fibers_of_two_runs) {
  const int rounds = thorough(40'000);
  weft::channel<int> left(0), right(0);
  tally all;
  std::thread other_run([&] {
    weft::run(
        [&] {
          auto a = weft::go([&] { give_or_take(left, right, rounds, all); });
          auto b = weft::go([&] { give_or_take(left, right, rounds, all); });
          a.join();
          b.join();
        },
        no_deadlock_check());
  });
  weft::run(
      [&] {
        auto a = weft::go([&] { give_or_take(right, left, rounds, all); });
        auto b = weft::go([&] { give_or_take(right, left, rounds, all); });
        a.join();
        b.join();
      },
      no_deadlock_check());
  other_run.join();
  all.check();
  EXPECT_EQ(all.pushes, 2 * rounds);
}

TEST(select, those_of_a_run_with_several_loops_meet_too) {
  const int rounds = thorough(40'000);
  weft::channel<int> left(0), right(0);
  tally all;
  weft::run_options two_loops;
  two_loops.threads = 2;
  weft::run(
      [&] {
        std::vector<weft::fiber<void>> fibers;
        for (int n = 0; n < 4; ++n) {
          fibers.push_back(weft::go([&] { give_or_take(left, right, rounds, all); }));
          fibers.push_back(weft::go([&] { give_or_take(right, left, rounds, all); }));
        }
        for (auto& one : fibers) one.join();
      },
      two_loops);
  all.check();
  EXPECT_EQ(all.pushes, 4 * rounds);
}

TEST(select, many_that_push_and_pop_the_same_channel_meet_one_another) {
  const int meetings = thorough(40'000);
  weft::channel<int> middle(0);
  weft::event enough;
  tally all;
  const auto meet = [&](int id) {
    bool on = true;
    while (on) {
      int value = id;
      weft::select(weft::on_push(middle, value, [&](bool) { all.push(id); }),
                   weft::on_pop(middle,
                                [&](std::optional<int> got) {
                                  all.pop(*got);
                                  EXPECT_NE(*got, id) << "it met itself";
                                  if (all.pops >= meetings) enough.set();
                                }),
                   weft::on_set(enough, [&] { on = false; }));
    }
  };
  std::vector<std::thread> threads;
  for (int id = 1; id <= 3; ++id) threads.emplace_back(meet, id);
  weft::run([&] {
    std::vector<weft::fiber<void>> fibers;
    for (int id = 4; id <= 8; ++id) fibers.push_back(weft::go([&, id] { meet(id); }));
    for (auto& one : fibers) one.join();
  });
  for (auto& one : threads) one.join();
  all.check();
  EXPECT_EQ(middle.statistics().producers_waiting + middle.statistics().consumers_waiting, 0U);
}

TEST(select, a_value_pushed_to_it_while_it_is_cancelled_is_received_or_was_never_taken) {
  const int rounds = thorough(2'000);
  int received = 0;
  for (int n = 0; n < rounds; ++n) {
    weft::channel<int> hand_off(0), other(0);
    weft::cancel_scope scope;
    std::atomic<bool> over{false};
    bool taken = false;
    std::thread pusher([&] {
      while (!taken && !over) taken = hand_off.try_push(n);
    });
    std::thread canceller([&] { scope.cancel(); });
    std::optional<int> got;
    try {
      weft::select(weft::on_pop(other, ignore),
                   weft::on_pop(hand_off, [&](std::optional<int> value) { got = value; }));
    } catch (const weft::cancelled&) {
    }
    over = true;
    pusher.join();
    canceller.join();
    ASSERT_EQ(got.has_value(), taken);
    if (got) ++received;
  }
  RecordProperty("received", received);
}

TEST(select, a_value_pushed_to_it_while_its_time_runs_out_is_received_or_was_never_taken) {
  const int rounds = thorough(1'500);
  weft::channel<int> hand_off(0), other(0);
  std::atomic<bool> over{false};
  int taken = 0;
  std::thread pusher([&] {
    while (!over) {
      if (hand_off.try_push(1)) ++taken;
    }
  });
  int got = 0;
  for (int n = 0; n < rounds; ++n) {
    weft::select(weft::on_pop(other, ignore), weft::on_pop(hand_off, [&](std::optional<int>) { ++got; }),
                 weft::on_time(weft::steady_clock::now() + std::chrono::microseconds(n % 50), ignore));
  }
  over = true;
  pusher.join();
  EXPECT_EQ(got, taken);
}

/// One task of the stress: random pushes, pops and selects over all channels, each with a small bound or
/// under a deadline; keeps what it pushed and what it got.
class worker {
 public:
  worker(std::deque<weft::channel<int>>& channels, unsigned seed, int id)
      : channels_(channels), random_(seed), next_(id * 1'000'000) {}

  void work(int operations) {
    for (int n = 0; n < operations; ++n) {
      try {
        weft::with_timeout(std::chrono::milliseconds(pick(4)), [&] { one(); });
      } catch (const weft::deadline_exceeded&) {
      }
    }
  }
  std::vector<int> pushed, popped;

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  weft::channel<int>& any() {
    return channels_[static_cast<std::size_t>(pick(static_cast<int>(channels_.size())))];
  }
  auto took() {
    return [this](std::optional<int> value) {
      if (value) popped.push_back(*value);
    };
  }
  auto gave(int value) {
    return [this, value](bool done) {
      if (done) pushed.push_back(value);
    };
  }
  void one() {
    int mine = ++next_;
    int second = ++next_;
    const auto soon = std::chrono::microseconds(pick(2000));
    switch (pick(8)) {
      case 0:
        if (any().push(mine)) pushed.push_back(mine);
        break;
      case 1:
        took()(any().pop());
        break;
      case 2:
        if (any().push_for(mine, soon) == weft::wait_end::value) pushed.push_back(mine);
        break;
      case 3:
        if (auto got = any().pop_for(soon)) popped.push_back(*got);
        break;
      case 4:
        weft::select(weft::on_push(any(), mine, gave(mine)), weft::on_pop(any(), took()));
        break;
      case 5:
        weft::select(weft::on_push(any(), mine, gave(mine)), weft::on_push(any(), second, gave(second)),
                     weft::on_timeout(soon, ignore));
        break;
      case 6:
        weft::select(weft::on_pop(any(), took()), weft::on_pop(any(), took()),
                     weft::on_push(any(), mine, gave(mine)), weft::otherwise(ignore));
        break;
      default:
        many(soon);
    }
  }
  void many(std::chrono::microseconds soon) {
    weft::selector all;
    std::deque<int> values;
    for (auto& channel : channels_) {
      values.push_back(++next_);
      if (pick(2) == 0) {
        all.add(weft::on_push(channel, values.back(), gave(values.back())));
      } else {
        all.add(weft::on_pop(channel, took()));
      }
    }
    all.wait_for(soon);
  }

  std::deque<weft::channel<int>>& channels_;
  std::mt19937 random_;
  int next_;
};

void every_value_is_received_once(unsigned seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  const int operations = thorough(4000);
  std::deque<weft::channel<int>> channels;
  for (const std::size_t capacity : {0, 0, 1, 3}) channels.emplace_back(capacity);
  std::deque<worker> workers;
  for (int id = 0; id < 10; ++id) workers.emplace_back(channels, seed * 100 + static_cast<unsigned>(id), id);
  std::vector<std::thread> threads;
  for (std::size_t n = 0; n < 2; ++n) threads.emplace_back([&, n] { workers[n].work(operations); });
  for (std::size_t n = 2; n < 10; n += 4) {
    threads.emplace_back([&, n] {
      weft::run(
          [&] {
            std::vector<weft::fiber<void>> fibers;
            for (std::size_t k = n; k < n + 4; ++k)
              fibers.push_back(weft::go([&, k] { workers[k].work(operations); }));
            for (auto& one : fibers) one.join();
          },
          no_deadlock_check());
    });
  }
  for (auto& one : threads) one.join();
  std::multiset<int> pushed, popped;
  for (auto& one : workers) {
    pushed.insert(one.pushed.begin(), one.pushed.end());
    popped.insert(one.popped.begin(), one.popped.end());
  }
  for (auto& one : channels) {
    EXPECT_EQ(one.statistics().producers_waiting + one.statistics().consumers_waiting, 0U);
    while (auto left = one.try_pop()) popped.insert(*left);
  }
  EXPECT_EQ(pushed, popped);
  EXPECT_GT(pushed.size(), static_cast<std::size_t>(operations));
}

TEST(select, every_value_is_received_once_whatever_tasks_do) {
  for (unsigned seed = 1; seed <= 3; ++seed) every_value_is_received_once(seed);
}

TEST(select, of_threads_that_share_the_channels_in_another_order_do_not_lock_each_other_out) {
  const int rounds = thorough(50'000);
  std::deque<weft::channel<int>> all;
  for (int n = 0; n < 4; ++n) all.emplace_back(0);
  tally sums;
  weft::event enough;
  const auto take = [&](int first) {
    bool on = true;
    const auto add = [&](std::optional<int> value) { sums.pop(*value); };
    const auto at = [&](int n) -> weft::channel<int>& {
      return all[static_cast<std::size_t>((first + n) % 4)];
    };
    while (on) {
      weft::select(weft::on_pop(at(0), add), weft::on_pop(at(3), add), weft::on_pop(at(2), add),
                   weft::on_pop(at(1), add), weft::on_set(enough, [&] { on = false; }));
    }
  };
  std::thread first(take, 0), second(take, 2);
  std::thread giver([&] {
    for (int n = 1; n <= rounds; ++n) {
      int value = n;
      weft::select(weft::on_push(all[3], value, ignore), weft::on_push(all[0], value, ignore));
      sums.push(n);
    }
  });
  for (int n = 1; n <= rounds; ++n) {
    all[static_cast<std::size_t>(n % 4)].push(n);
    sums.push(n);
  }
  giver.join();
  enough.set();
  first.join();
  second.join();
  sums.check();
}

}  // namespace
