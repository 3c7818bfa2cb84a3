#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/event.hpp>

#include "core/still_oracle.hpp"
#include "interleaving/explored_task.hpp"
#include "interleaving/explorer.hpp"

// The protocol of select on its real code: who claims whom, and who leaves which line, in all orders. The
// cases are those of the channels; the functions of weft::select, which run afterwards, are left out.

namespace weft {
namespace {

using namespace std::chrono_literals;

class pop final : public detail::pop_case<int> {
 public:
  explicit pop(channel<int>& from) : pop_case(from) { aim_at(into); }
  std::optional<int> into;
};

class push final : public detail::push_case<int> {
 public:
  push(channel<int>& to, int what) : push_case(to), value(what) { load(value); }
  using push_case::was_pushed;
  int value;
};

struct state {
  channel<int> left{0}, right{0};
  std::optional<cancel_scope> scope;
  event made, cancelled;
  int pushed = 0, popped = 0;

  void check_all_met() {
    const auto of_left = left.statistics(), of_right = right.statistics();
    explore::check(of_left.producers_waiting + of_left.consumers_waiting + of_right.producers_waiting +
                           of_right.consumers_waiting ==
                       0,
                   "somebody still stands in a line");
    explore::check(pushed == popped, "a value was lost or doubled");
  }
};

/// A select that gives `value` to `out` or takes from `in`; nothing done when `until` passes.
void give_or_take(state& here, channel<int>& out, channel<int>& in, int value,
                  steady_time until = no_deadline) {
  push give(out, value);
  pop take(in);
  detail::select_case* const cases[] = {&give, &take};
  const auto done = detail::select_among(cases, until);
  if (done == 0U && give.was_pushed()) here.pushed += value;
  if (done == 1U && take.into) here.popped += *take.into;
  explore::check(done != 0U || give.was_pushed(), "a push to an open channel failed");
  explore::check(give.was_pushed() == (done == 0U), "a value was taken from a case that was not chosen");
  explore::check(take.into.has_value() == (done == 1U), "a value came to a case that was not chosen");
}

template <typename... Bodies>
explore::outcome all_orders_of(Bodies... bodies) {
  return explore::all_orders([=](explore::execution& run) {
    auto shared = std::make_shared<state>();
    const auto start = [&](auto body) {
      run.thread([body, shared] {
        const detail::still_oracle first_of_those_that_are_ready;
        detail::explored_task self;
        body(*shared);
      });
    };
    (start(bodies), ...);
    run.at_end([shared] { shared->check_all_met(); });
  });
}

void expect_complete(const explore::outcome& tried) {
  EXPECT_TRUE(tried.complete) << tried.failure;
  EXPECT_GT(tried.executions, 20U);
}

TEST(select, two_that_face_each_other_meet_exactly_once) {
  expect_complete(all_orders_of([](state& here) { give_or_take(here, here.left, here.right, 1); },
                                [](state& here) { give_or_take(here, here.right, here.left, 2); }));
}

TEST(select, two_over_one_channel_meet_and_none_meets_itself) {
  expect_complete(all_orders_of([](state& here) { give_or_take(here, here.left, here.left, 1); },
                                [](state& here) { give_or_take(here, here.left, here.left, 2); }));
}

TEST(select, whose_bound_passes_while_it_is_met_was_served_or_has_done_nothing) {
  expect_complete(
      all_orders_of([](state& here) { give_or_take(here, here.left, here.right, 1, deadline_after(1s)); },
                    [](state& here) { give_or_take(here, here.right, here.left, 2, deadline_after(1s)); }));
}

TEST(select, two_plain_partners_get_at_most_one_of_it_each_and_lose_nothing) {
  const auto takes = [](channel<int> state::*from) {
    return [from](state& here) {
      if (auto got = (here.*from).pop_for(1s)) here.popped += *got;
    };
  };
  expect_complete(all_orders_of(
      [](state& here) {
        push to_left(here.left, 1);
        push to_right(here.right, 2);
        detail::select_case* const cases[] = {&to_left, &to_right};
        const auto done = detail::select_among(cases, deadline_after(1s));
        explore::check(to_left.was_pushed() == (done == 0U), "left");
        explore::check(to_right.was_pushed() == (done == 1U), "right");
        if (done) here.pushed += done == 0U ? 1 : 2;
      },
      takes(&state::left), takes(&state::right)));
}

TEST(select, that_is_cancelled_while_it_is_served_loses_no_value) {
  expect_complete(all_orders_of(
      [](state& here) {
        here.scope.emplace();
        here.made.set();
        pop from_left(here.left), from_right(here.right);
        detail::select_case* const cases[] = {&from_left, &from_right};
        try {
          detail::select_among(cases, no_deadline);
        } catch (const weft::cancelled&) {
          explore::check(!from_left.into && !from_right.into, "it was cancelled with a value in hand");
        }
        here.popped += from_left.into.value_or(0) + from_right.into.value_or(0);
        shield([&] { here.cancelled.wait(); });
        here.scope.reset();
      },
      [](state& here) {
        int value = 1;
        if (here.right.push_for(value, 1s) == wait_end::value) here.pushed += 1;
      },
      [](state& here) {
        here.made.wait();
        here.scope->cancel();
        here.cancelled.set();
      }));
}

}  // namespace
}  // namespace weft
