// Cancelling at each suspension point in turn: every object that was made ends once, and nothing hangs.

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <utility>
#include <vector>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/condition.hpp>
#include <weft/fiber/defer.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/fiber_local.hpp>
#include <weft/fiber/first_of.hpp>
#include <weft/fiber/map_limited.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/semaphore.hpp>
#include <weft/fiber/timer.hpp>

namespace {

using namespace std::chrono_literals;

/// Counts how often each object that was made has ended.
struct ledger {
  int made = 0;
  std::map<int, int> ended;
};
ledger* book = nullptr;

struct counted {
  counted() : number(++book->made) {}
  counted(counted&& other) noexcept : number(std::exchange(other.number, 0)) {}
  counted(const counted&) = delete;
  ~counted() {
    if (number != 0) ++book->ended[number];
  }
  int number;
};

weft::fiber_local<counted> local;

/// Cancels at the n-th suspension point that the tree of fibers comes to.
struct injection {
  enum class moment { before_the_wait, while_it_waits };
  enum class victim { whole_tree, fiber_itself };
  int at = 0;  // 0: never
  moment when = moment::before_the_wait;
  victim who = victim::whole_tree;
  int passed = 0;
  weft::detail::fiber_block* root = nullptr;
};
injection* plan = nullptr;

weft::detail::fiber_block& running_fiber() {
  return static_cast<weft::detail::fiber_block&>(weft::detail::task_block::current());
}

/// Stands before each wait.
void point() {
  if (++plan->passed != plan->at) return;
  auto& chosen = plan->who == injection::victim::whole_tree ? *plan->root : running_fiber();
  if (plan->when == injection::moment::before_the_wait) {
    chosen.cancel(weft::cancel_reason::requested);
    return;
  }
  chosen.retain();  // until the canceller ran, which is behind the wait of this fiber
  weft::shield([&] {
    weft::go([&chosen] {
      chosen.cancel(weft::cancel_reason::requested);
      chosen.release();
    }).detach();
  });
}

void produce(weft::channel<std::unique_ptr<counted>>& values) {
  weft::defer([&values] { values.close(); });
  local.get();
  for (int i = 0; i < 3; ++i) {
    point();
    values.push(std::make_unique<counted>());
  }
}

void consume(weft::channel<std::unique_ptr<counted>>& values) {
  weft::defer([deferred = counted()] {
    point();
    weft::sleep_for(1ms);
  });
  for (;;) {
    point();
    const auto value = values.pop();
    if (!value) return;
    point();
    weft::yield();
  }
}

void use_locks(weft::scope& s) {
  weft::mutex guard;
  weft::condition changed;
  weft::semaphore permits(1);
  weft::event go_on;
  bool ready = false;
  weft::with_scope([&](weft::scope& inner) {
    const counted inside;
    inner.go([&] {
      const counted mine;
      std::unique_lock lock(guard);
      point();
      changed.wait(lock, [&] { return ready; });
    });
    point();
    weft::sleep_for(1ms);
    {
      const std::lock_guard lock(guard);
      const counted locked;
      point();
      weft::yield();
      ready = true;
      changed.notify_all();
    }
    point();
    permits.acquire();
    const counted permitted;
    inner.go([&, held = counted()] {
      weft::defer([&] { go_on.set(); });
      point();
      std::ignore = weft::move_on_after(2ms, [&] { permits.acquire(); });
    });
    point();
    go_on.wait();
    point();
    s.go([held = counted()] {
      point();
      weft::yield();
    });
    point();
  });
}

/// Waits of many kinds in a tree of fibers. Without cancellation it ends by itself; and if one fiber
/// of it is cancelled, the others still come to their ends.
void body() {
  plan->root = &running_fiber();
  const counted outer;
  weft::defer([held = counted()] {
    point();
    weft::yield();
  });
  weft::channel<std::unique_ptr<counted>> values(4);
  weft::with_scope(
      [&](weft::scope& s) {
        s.go([&, held = counted()] { produce(values); });
        point();
        s.go([&, held = counted()] { consume(values); });
        use_locks(s);
        point();
      },
      {.width_max = 3});
  point();
  std::ignore = weft::map_limited_results(std::vector<int>{1, 2, 3}, 2, [](int) {
    point();
    weft::yield();
    return std::make_unique<counted>();
  });
  point();
  std::ignore = weft::move_on_after(20ms, [] {
    weft::first_of(
        [] {
          point();
          weft::sleep_for(5ms);
        },
        [held = counted()] {
          point();
          weft::yield();
        });
  });
  weft::event ticked;
  auto timer = weft::every(1ms, [&, held = counted()] {
    point();
    weft::yield();
    ticked.set();
  });
  point();
  ticked.wait_for(50ms);
  auto child = weft::go([held = counted()] {
    point();
    weft::yield();
    return counted();
  });
  point();
  child.join();
  weft::shield([] {
    point();
    weft::yield();
  });
}

/// False if the tree came to its end before it met the injection.
bool run_with(injection chosen) {
  ledger mine;
  book = &mine;
  plan = &chosen;
  weft::run([] {
    try {
      weft::go(body, {.name = "root"}).join();
    } catch (const weft::cancelled&) {
    }
  });
  EXPECT_EQ(static_cast<int>(mine.ended.size()), mine.made)
      << "point " << chosen.at << ": some object never ended";
  for (const auto& [number, times] : mine.ended)
    EXPECT_EQ(times, 1) << "point " << chosen.at << ": object " << number;
  book = nullptr;
  plan = nullptr;
  return chosen.passed >= chosen.at;
}

int sweep(injection::moment when, injection::victim who) {
  int at = 1;
  while (run_with({.at = at, .when = when, .who = who}) && !testing::Test::HasFailure()) ++at;
  return at - 1;
}

TEST(cancelling, nothing_ends_every_object_once) { EXPECT_TRUE(run_with({})); }

TEST(cancelling, the_whole_tree_before_each_wait_in_turn_ends_every_object_once) {
  EXPECT_GT(sweep(injection::moment::before_the_wait, injection::victim::whole_tree), 30);
}

TEST(cancelling, the_whole_tree_in_each_wait_in_turn_ends_every_object_once) {
  EXPECT_GT(sweep(injection::moment::while_it_waits, injection::victim::whole_tree), 30);
}

TEST(cancelling, each_fiber_before_each_of_its_waits_ends_every_object_once) {
  EXPECT_GT(sweep(injection::moment::before_the_wait, injection::victim::fiber_itself), 30);
}

TEST(cancelling, each_fiber_in_each_of_its_waits_ends_every_object_once) {
  EXPECT_GT(sweep(injection::moment::while_it_waits, injection::victim::fiber_itself), 30);
}

}  // namespace
