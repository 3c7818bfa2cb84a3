#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <thread>

#include <weft/context/cancellation.hpp>
#include <weft/context/wait.hpp>

namespace weft {
namespace {

using namespace std::chrono_literals;
using detail::spin_lock;
using detail::wait_outcome;

/// A primitive with nothing but a line.
struct bell {
  spin_lock lock;
  detail::waiter_line line;

  wait_outcome wait(steady_time until = no_deadline, bool cancellable = true) {
    detail::waiter mine;
    std::unique_lock held(lock);
    const auto outcome = detail::wait_in(line, mine, held, until, "bell::wait", cancellable);
    EXPECT_TRUE(held.owns_lock());
    return outcome;
  }
  std::size_t waiting() {
    const std::lock_guard held(lock);
    return line.size();
  }
  /// False if nobody waits.
  bool ring_one() {
    const std::lock_guard held(lock);
    if (line.empty()) return false;
    line.serve_front();
    return true;
  }
  /// Until `count` tasks are in the line. They may not be parked yet; whatever ends their wait must
  /// work in between too.
  void await(std::size_t count) {
    while (waiting() != count) std::this_thread::yield();
  }
};

TEST(wait, ends_when_it_is_served) {
  bell one;
  std::thread ringer([&] {
    one.await(1);
    one.ring_one();
  });
  EXPECT_EQ(one.wait(), wait_outcome::served);
  ringer.join();
  EXPECT_EQ(one.waiting(), 0U);
}

TEST(wait, serves_in_order_of_arrival) {
  bell one;
  std::mutex guard;
  std::vector<int> order;
  std::vector<std::thread> all;
  for (int n = 0; n < 3; ++n) {
    all.emplace_back([&, n] {
      EXPECT_EQ(one.wait(), wait_outcome::served);
      const std::lock_guard held(guard);
      order.push_back(n);
    });
    one.await(static_cast<std::size_t>(n) + 1);
  }
  for (int n = 0; n < 3; ++n) {
    one.ring_one();
    all[static_cast<std::size_t>(n)].join();
  }
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
}

TEST(wait, ends_by_its_bound_and_leaves_the_line) {
  bell one;
  EXPECT_EQ(one.wait(steady_clock::now() + 2ms), wait_outcome::timed_out);
  EXPECT_EQ(one.waiting(), 0U);
}

TEST(wait, goes_on_after_a_permit_that_was_left_over) {
  bell one;
  detail::task_block::current().unpark();
  EXPECT_EQ(one.wait(steady_clock::now() + 2ms), wait_outcome::timed_out);
}

TEST(wait, a_cancel_from_another_thread_wakes_it) {
  bell one;
  cancel_scope scope;
  std::thread canceller([&] {
    one.await(1);
    scope.cancel(cancel_reason::shutdown);
  });
  EXPECT_EQ(one.wait(), wait_outcome::cancelled);
  canceller.join();
  EXPECT_EQ(one.waiting(), 0U);
  EXPECT_THROW(detail::throw_cancelled("bell::wait"), cancelled);
}

TEST(wait, a_cancel_of_an_outer_scope_wakes_it) {
  bell one;
  cancel_scope outer;
  cancel_scope inner;
  std::thread canceller([&] {
    one.await(1);
    outer.cancel();
  });
  EXPECT_EQ(one.wait(), wait_outcome::cancelled);
  canceller.join();
}

TEST(wait, a_cancel_wakes_also_a_task_that_runs_in_the_context_of_another) {
  bell one;
  cancel_scope scope;
  wait_outcome outcome = wait_outcome::served;
  std::thread guest(bind([&] { outcome = one.wait(); }));
  one.await(1);
  scope.cancel();
  guest.join();
  EXPECT_EQ(outcome, wait_outcome::cancelled);
}

TEST(wait, in_the_context_of_a_scope_that_ended_is_ended_by_a_cancel_of_the_one_around_it) {
  bell one;
  cancel_scope outer;
  context kept;
  {
    const cancel_scope inner;
    kept = context::capture();
  }
  std::thread canceller([&] {
    one.await(1);
    outer.cancel();
  });
  EXPECT_EQ(kept.run([&] { return one.wait(steady_clock::now() + 10s); }), wait_outcome::cancelled);
  canceller.join();
}

TEST(checkpoint, in_the_context_of_a_scope_that_ended_sees_a_cancel_of_the_one_around_it) {
  cancel_scope outer;
  context in_inner;
  context in_both;
  {
    const cancel_scope middle;
    in_both = context::capture();
    const cancel_scope inner;
    in_inner = context::capture();
  }
  EXPECT_NO_THROW(in_inner.run([] { checkpoint(); }));
  outer.cancel(cancel_reason::shutdown);
  EXPECT_THROW(in_inner.run([] { checkpoint(); }), cancelled);
  EXPECT_THROW(in_both.run([] { checkpoint(); }), cancelled);
  EXPECT_EQ(in_inner.run([] { return cancellation_requested(); }), cancel_reason::shutdown);
}

TEST(checkpoint, in_the_context_of_a_scope_that_ended_uncancelled_is_quiet_when_all_around_it_ended) {
  context kept;
  {
    cancel_scope outer;
    const cancel_scope inner;
    kept = context::capture();
  }
  EXPECT_NO_THROW(kept.run([] { checkpoint(); }));
}

TEST(checkpoint, a_scope_that_was_cancelled_stays_so_for_those_who_kept_its_context) {
  context kept;
  {
    cancel_scope outer;
    outer.cancel();
    const cancel_scope inner;
    kept = context::capture();
  }
  EXPECT_THROW(kept.run([] { checkpoint(); }), cancelled);
  EXPECT_THROW(kept.run([] {
    const cancel_scope new_below;
    checkpoint();
  }),
               cancelled);
}

TEST(wait, that_leaves_the_lock_may_end_with_the_primitive_it_waited_at) {
  for (int n = 0; n < 300; ++n) {
    auto one = std::make_unique<bell>();
    std::thread ringer([&, at = one.get()] {
      while (!at->ring_one()) std::this_thread::yield();
    });
    detail::waiter mine;
    std::unique_lock held(one->lock);
    const auto outcome = detail::wait_and_leave(detail::task_block::current(), one->line, mine, held,
                                                no_deadline, "bell::wait");
    EXPECT_EQ(outcome, wait_outcome::served);
    EXPECT_FALSE(held.owns_lock());
    held.release();
    one.reset();
    ringer.join();
  }
}

TEST(wait, in_a_cancelled_task_does_not_begin) {
  bell one;
  cancel_scope scope;
  scope.cancel();
  EXPECT_EQ(one.wait(), wait_outcome::cancelled);
  EXPECT_THROW(detail::check_cancelled("bell::wait"), cancelled);
}

TEST(wait, the_deadline_of_the_task_ends_it_as_a_cancellation) {
  bell one;
  const auto wait_and_throw = [&] {
    if (one.wait(steady_clock::now() + 1h) == wait_outcome::cancelled) detail::throw_cancelled("bell::wait");
  };
  EXPECT_THROW(with_timeout(2ms, wait_and_throw), deadline_exceeded);
}

TEST(wait, its_own_bound_counts_where_it_is_earlier_than_the_deadline) {
  bell one;
  with_timeout(1h, [&] { EXPECT_EQ(one.wait(steady_clock::now() + 2ms), wait_outcome::timed_out); });
}

TEST(wait, one_that_is_no_cancellation_point_goes_on_until_served) {
  bell one;
  cancel_scope scope;
  scope.cancel();
  std::thread ringer([&] {
    one.await(1);
    one.ring_one();
  });
  EXPECT_EQ(one.wait(no_deadline, false), wait_outcome::served);
  ringer.join();
}

TEST(wait, inside_a_shield_is_not_ended_by_the_cancellation_around_it) {
  bell one;
  cancel_scope scope;
  std::thread other([&] {
    one.await(1);
    scope.cancel();
    one.ring_one();
  });
  EXPECT_EQ(shield([&] { return one.wait(); }), wait_outcome::served);
  other.join();
}

struct waits_at_its_end {
  bell* one;
  wait_outcome* outcome;
  ~waits_at_its_end() { *outcome = one->wait(steady_clock::now() + 2ms); }
};

TEST(wait, in_a_destructor_that_runs_while_an_exception_unwinds_is_not_cancelled) {
  bell one;
  cancel_scope scope;
  scope.cancel();
  auto outcome = wait_outcome::served;
  try {
    const waits_at_its_end at_end{&one, &outcome};
    throw 1;
  } catch (int) {
  }
  EXPECT_EQ(outcome, wait_outcome::timed_out);
}

TEST(wait, says_what_the_task_waits_for_while_it_waits) {
  bell one;
  const auto& mine = detail::task_block::current();
  std::thread ringer([&] {
    one.await(1);
    EXPECT_STREQ(mine.waits_for.load(), "bell::wait");
    one.ring_one();
  });
  one.wait();
  ringer.join();
  EXPECT_EQ(mine.waits_for.load(), nullptr);
}

TEST(no_wait_scope, refuses_a_wait_and_names_both) {
  bell one;
  {
    const no_wait_scope outer("the body of a transaction");
    { const no_wait_scope inner("a callback"); }
    try {
      one.wait();
      FAIL() << "it waited";
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::misuse);
      EXPECT_NE(refused.message().find("bell::wait"), std::string::npos);
      EXPECT_NE(refused.message().find("the body of a transaction"), std::string::npos);
    }
    EXPECT_EQ(one.waiting(), 0U);
  }
  EXPECT_EQ(one.wait(steady_clock::now()), wait_outcome::timed_out);
}

TEST(wait, survives_rings_and_cancels_that_race_with_it) {
  for (int n = 0; n < 300; ++n) {
    bell one;
    cancel_scope scope;
    std::thread ringer([&] {
      while (!one.ring_one()) std::this_thread::yield();
    });
    std::thread canceller([&] { scope.cancel(); });
    const auto outcome = one.wait(steady_clock::now() + 10s);
    EXPECT_NE(outcome, wait_outcome::timed_out);
    canceller.join();
    if (outcome == wait_outcome::cancelled) {
      EXPECT_EQ(shield([&] { return one.wait(); }), wait_outcome::served);
    }
    ringer.join();
  }
}

}  // namespace
}  // namespace weft
