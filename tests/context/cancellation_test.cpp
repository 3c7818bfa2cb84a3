#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/wait.hpp>

#include "context/keys.hpp"

namespace weft {
namespace {

using namespace std::chrono_literals;

std::optional<cancel_reason> reason_thrown_by_checkpoint() {
  try {
    checkpoint();
    return std::nullopt;
  } catch (const cancelled& stop) {
    return stop.reason();
  }
}

TEST(cancel_scope, nothing_cancels_a_task_without_one) {
  EXPECT_EQ(cancellation_requested(), std::nullopt);
  EXPECT_EQ(deadline(), std::nullopt);
  EXPECT_EQ(remaining(), std::nullopt);
  EXPECT_NO_THROW(checkpoint());
}

TEST(cancel_scope, cancels_what_is_inside_until_it_ends) {
  {
    cancel_scope scope;
    EXPECT_NO_THROW(checkpoint());
    scope.cancel();
    EXPECT_TRUE(scope.is_cancelled());
    EXPECT_EQ(reason_thrown_by_checkpoint(), cancel_reason::requested);
    EXPECT_EQ(reason_thrown_by_checkpoint(), cancel_reason::requested) << "it is sticky";
  }
  EXPECT_NO_THROW(checkpoint());
}

TEST(cancel_scope, the_outer_one_cancels_the_inner_one_and_never_the_reverse) {
  cancel_scope outer;
  {
    cancel_scope inner;
    inner.cancel();
    EXPECT_FALSE(outer.is_cancelled());
  }
  EXPECT_NO_THROW(checkpoint());
  cancel_scope inner;
  cancel_scope innermost;
  outer.cancel(cancel_reason::shutdown);
  EXPECT_TRUE(inner.is_cancelled());
  EXPECT_TRUE(innermost.is_cancelled());
  EXPECT_EQ(cancellation_requested(), cancel_reason::shutdown);
}

TEST(cancel_scope, the_first_reason_holds) {
  cancel_scope outer;
  cancel_scope inner;
  inner.cancel(cancel_reason::sibling);
  inner.cancel(cancel_reason::shutdown);
  outer.cancel(cancel_reason::deadlock);
  EXPECT_EQ(cancellation_requested(), cancel_reason::sibling);
}

TEST(cancel_scope, one_made_in_a_cancelled_one_is_cancelled) {
  cancel_scope outer;
  outer.cancel(cancel_reason::sibling);
  cancel_scope inner;
  EXPECT_TRUE(inner.is_cancelled());
  EXPECT_EQ(cancellation_requested(), cancel_reason::sibling);
}

TEST(cancel_scope, keeps_the_bindings_around_it) {
  const scoped_value bound(testing::user, 3);
  cancel_scope scope;
  EXPECT_EQ(testing::user.require(), 3);
  const scoped_value more(testing::tenant, "t");
  scope.cancel();
  EXPECT_TRUE(cancellation_requested().has_value()) << "a binding inside the scope is inside it";
}

TEST(cancel_scope, a_context_captured_inside_is_cancelled_with_it_on_other_threads_too) {
  cancel_scope scope;
  const auto inside = context::capture();
  scope.cancel();
  std::thread([&] {
    EXPECT_EQ(cancellation_requested(), std::nullopt);
    inside.run([] { EXPECT_EQ(cancellation_requested(), cancel_reason::requested); });
  }).join();
}

TEST(cancel_scope, what_was_started_inside_goes_to_the_outer_scope_when_it_ends) {
  cancel_scope outer;
  context kept;
  std::optional<cancel_scope> child;
  {
    cancel_scope inner;
    kept = context::capture();
  }
  const auto here = kept.attach();
  child.emplace();  // below the scope that has ended
  EXPECT_NO_THROW(checkpoint());
  outer.cancel(cancel_reason::shutdown);
  EXPECT_TRUE(child->is_cancelled());
  child.reset();
}

/// A thread that makes a scope inside `where`, and keeps it until it is told to look at it and go.
class child_elsewhere {
 public:
  explicit child_elsewhere(const context& where)
      : thread_([this, where] {
          const auto here = where.attach();
          const cancel_scope child;
          made_.set_value();
          look_.get_future().wait();
          is_cancelled_ = child.is_cancelled();
        }) {
    made_.get_future().wait();
  }
  bool is_cancelled() {
    look_.set_value();
    thread_.join();
    return is_cancelled_;
  }

 private:
  std::promise<void> made_;
  std::promise<void> look_;
  bool is_cancelled_ = false;
  std::thread thread_;
};

TEST(cancel_scope, a_child_that_lives_longer_is_handed_to_the_outer_scope) {
  cancel_scope outer;
  auto inner = std::make_unique<cancel_scope>();
  child_elsewhere child(context::capture());
  inner.reset();  // its part is over; the child is not
  outer.cancel(cancel_reason::sibling);
  EXPECT_TRUE(child.is_cancelled());
}

TEST(cancel_scope, a_scope_that_ends_does_not_cancel_its_children) {
  auto root = std::make_unique<cancel_scope>();
  child_elsewhere child(context::capture());
  root.reset();
  EXPECT_FALSE(child.is_cancelled());
}

TEST(cancel_scope, what_is_made_below_an_ended_root_is_a_root_of_its_own) {
  context kept;
  {
    const cancel_scope root;
    kept = context::capture();
  }
  kept.run([] {
    cancel_scope outer;
    const cancel_scope inner;
    EXPECT_FALSE(inner.is_cancelled());
    outer.cancel();
    EXPECT_TRUE(inner.is_cancelled());
  });
}

TEST(cancel_scope, a_hundred_thousand_deep_chain_is_cancelled_and_ends_without_recursion) {
  std::vector<std::unique_ptr<cancel_scope>> all;
  for (int n = 0; n < 100'000; ++n) all.push_back(std::make_unique<cancel_scope>());
  all.front()->cancel();
  EXPECT_TRUE(all.back()->is_cancelled());
  while (!all.empty()) all.pop_back();
  EXPECT_NO_THROW(checkpoint());
}

TEST(cancel_scope, what_is_made_later_in_a_context_that_was_cancelled_is_cancelled) {
  const cancel_scope outer;
  context kept;
  {
    cancel_scope inner;
    kept = context::capture();
    inner.cancel();
  }
  kept.run([] {
    EXPECT_EQ(cancellation_requested(), cancel_reason::requested);
    EXPECT_TRUE(cancel_scope().is_cancelled());
  });
}

TEST(deadline, is_what_was_set_and_can_only_be_shortened) {
  const auto soon = steady_clock::now() + 10s;
  with_deadline(soon, [&] {
    EXPECT_EQ(deadline(), soon);
    EXPECT_LE(*remaining(), 10s);
    with_timeout(1h, [&] { EXPECT_EQ(deadline(), soon); });
    with_deadline(soon - 5s, [&] { EXPECT_EQ(deadline(), soon - 5s); });
    EXPECT_EQ(deadline(), soon);
  });
  EXPECT_EQ(deadline(), std::nullopt);
}

TEST(deadline, remaining_is_never_negative) {
  cancel_scope scope(steady_clock::now() - 1s);
  EXPECT_EQ(remaining(), steady_clock::duration::zero());
  EXPECT_EQ(cancellation_requested(), cancel_reason::deadline);
}

TEST(deadline, the_border_that_set_it_turns_it_into_an_error) {
  try {
    with_timeout(0s, [] { checkpoint(); });
    FAIL() << "nothing was thrown";
  } catch (const deadline_exceeded& late) {
    EXPECT_EQ(late.code(), errc::deadline_exceeded);
  }
}

TEST(deadline, only_the_border_whose_deadline_it_was_reports_it) {
  EXPECT_THROW(with_timeout(0s,
                            [] {
                              try {
                                with_timeout(1h, [] { checkpoint(); });
                              } catch (const deadline_exceeded&) {
                                FAIL() << "the inner border took the outer one's deadline for its own";
                              }
                            }),
               deadline_exceeded);
  EXPECT_NO_THROW(
      with_timeout(1h, [] { EXPECT_THROW(with_timeout(0s, [] { checkpoint(); }), deadline_exceeded); }));
}

TEST(deadline, a_cancellation_for_another_reason_passes_the_border_as_it_is) {
  cancel_scope scope;
  try {
    with_timeout(0s, [&] {
      scope.cancel(cancel_reason::shutdown);
      checkpoint();
    });
    FAIL() << "nothing was thrown";
  } catch (const cancelled& stop) {
    EXPECT_EQ(stop.reason(), cancel_reason::shutdown);
  }
}

TEST(deadline, work_that_finishes_late_but_never_waits_keeps_its_result) {
  EXPECT_EQ(with_timeout(0s, [] { return 42; }), 42);
  int here = 0;
  int& again = with_timeout(1h, [&]() -> int& { return here; });
  EXPECT_EQ(&again, &here);
}

TEST(shield, hides_cancellation_and_deadline_and_keeps_the_bindings) {
  const scoped_value bound(testing::user, 3);
  cancel_scope scope(steady_clock::now() - 1s);
  scope.cancel();
  EXPECT_EQ(shield([] {
              EXPECT_EQ(cancellation_requested(), std::nullopt);
              EXPECT_EQ(deadline(), std::nullopt);
              checkpoint();
              return testing::user.require();
            }),
            3);
  EXPECT_TRUE(cancellation_requested().has_value());
}

TEST(shield, a_scope_inside_it_can_be_bounded_and_cancelled_by_itself) {
  cancel_scope scope;
  scope.cancel();
  shield([] {
    EXPECT_THROW(with_timeout(0s, [] { checkpoint(); }), deadline_exceeded);
    cancel_scope inside;
    EXPECT_NO_THROW(checkpoint());
    inside.cancel(cancel_reason::sibling);
    EXPECT_EQ(reason_thrown_by_checkpoint(), cancel_reason::sibling);
  });
}

struct checks_at_its_end {
  std::optional<cancel_reason>* seen;
  bool* threw;
  ~checks_at_its_end() {
    *seen = cancellation_requested();
    *threw = reason_thrown_by_checkpoint().has_value();
  }
};

TEST(cancellation, is_never_thrown_while_an_exception_unwinds) {
  cancel_scope scope;
  scope.cancel();
  std::optional<cancel_reason> seen = cancel_reason::deadlock;
  bool threw = true;
  try {
    const checks_at_its_end at_end{&seen, &threw};
    throw std::runtime_error("unwinds");
  } catch (const std::runtime_error&) {
    EXPECT_TRUE(cancellation_requested().has_value()) << "inside the handler nothing unwinds any more";
  }
  EXPECT_EQ(seen, std::nullopt);
  EXPECT_FALSE(threw);
}

TEST(cancellation, many_threads_may_make_cancel_and_end_scopes_of_one_tree) {
  cancel_scope root;
  const auto inside = context::capture();
  std::vector<std::thread> all;
  for (int t = 0; t < 4; ++t) {
    all.emplace_back([&, t] {
      const auto here = inside.attach();
      for (int n = 0; n < 300; ++n) {
        auto outer = std::make_unique<cancel_scope>();
        cancel_scope inner;
        if (t % 2 == 0) outer->cancel(cancel_reason::sibling);
        EXPECT_EQ(inner.is_cancelled(), t % 2 == 0);
      }
    });
  }
  for (auto& each : all) each.join();
  EXPECT_FALSE(root.is_cancelled());
}

}  // namespace
}  // namespace weft
