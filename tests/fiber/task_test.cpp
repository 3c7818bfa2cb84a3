// Started tasks that fibers carry, and what they leave of a fiber's world.

#include <weft/executor/task.hpp>

#include <gtest/gtest.h>

#include <chrono>

#include <weft/context/context.hpp>
#include <weft/core/safepoint.hpp>
#include <weft/executor/futures.hpp>
#include <weft/executor/strand.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/fiber_local.hpp>
#include <weft/fiber/preemption.hpp>
#include <weft/fiber/run.hpp>

#include "support/expect_error.hpp"

namespace {

constexpr weft::key_spec user_spec{.name = "test.fiber_task_user"};
const weft::key<int> user{user_spec};

/// A long turn is over, for the fiber too.
void safepoints() {
  for (int i = 0; i < 3; ++i) {
    weft::detail::turn_due.store(true);
    weft::yield_if_due();
  }
}

weft::task<int> keeps_its_context(weft::channel<int>& from) {
  const weft::scoped_value bound(user, 5);
  int seen = user.value_or(0);
  safepoints();
  seen += user.value_or(0);
  seen += *from.pop();  // the fiber waits
  seen += user.value_or(0);
  auto child = weft::go_now([] { return user.value_or(0); });
  seen += user.value_or(0);
  co_await weft::sleep(std::chrono::milliseconds(1));
  seen += user.value_or(0);
  seen += child.join();
  co_return seen;
}

void expect_kept(const weft::executor& where) {
  weft::channel<int> values(0);
  auto other = weft::go([&] {
    const weft::scoped_value bound(user, 100);
    weft::yield();
    values.push(1000);
  });
  EXPECT_EQ(weft::start(where, keeps_its_context(values)).get(), 1030);
  EXPECT_EQ(user.value_or(0), 2);
  other.join();
}

TEST(task_on_fibers, that_a_fiber_carries_stays_the_running_task_while_the_fiber_switches) {
  weft::run([] {
    const weft::scoped_value mine(user, 2);
    expect_kept(weft::inline_executor());
    expect_kept(weft::strand(weft::current_executor()));
    safepoints();
  });
  EXPECT_EQ(weft::get_context_statistics().scopes_misnested, 0U);
}

struct counted {
  static inline int ended = 0;
  counted() = default;
  counted(const counted&) = default;
  counted& operator=(const counted&) = default;
  ~counted() { ++ended; }
  int value = 0;
};
weft::fiber_local<counted> own;

TEST(task_on_fibers, has_locals_of_its_own_that_end_with_it) {
  weft::promise<int> in;
  weft::promise<int> too_late;
  const auto uses = [](weft::future<int> of) -> weft::task<int> {
    own->value = 3;
    const int given = co_await of;
    co_return own->value + given;
  };
  weft::future<int> ends, dropped;
  {
    weft::thread_pool pool{{.threads = 2}};
    ends = weft::start(pool, uses(in.get_future()));
    dropped = weft::start(pool, uses(too_late.get_future()));
    in.set_value(1);
    EXPECT_EQ(ends.get(), 4);
  }
  const int before = counted::ended;
  too_late.set_value(1);
  message_of(weft::errc::closed, [&] { dropped.get(); });
  EXPECT_EQ(counted::ended, before + 1);
}

}  // namespace
