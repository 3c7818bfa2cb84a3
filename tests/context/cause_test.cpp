// Callbacks run in the context of who subscribed; that of who calls them is weft::cause().

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/context/frame.hpp>

#include "context/keys.hpp"

namespace weft {
namespace {

using testing::tenant;
using testing::user;

inline constexpr key_spec own_spec{.name = "cause.own", .flow = key_flow::local};
const key<int> own{own_spec};
inline constexpr key_spec stays_spec{.name = "cause.stays", .sticky = true};
const key<int> stays{stays_spec};

/// An event of a program's own.
class event_source {
 public:
  void subscribe(std::function<void()> told) { subscribers_.push_back(std::move(told)); }
  void emit() const {
    for (const auto& each : subscribers_) each();
  }

 private:
  std::vector<std::function<void()>> subscribers_;
};

std::int64_t user_of(const context& of) {
  const std::int64_t* const found = of.find(user);
  return found == nullptr ? 0 : *found;
}

TEST(cause, a_callback_sees_its_subscribers_values_and_the_emitters_by_cause) {
  event_source source;
  int calls = 0;
  for (const std::int64_t subscriber : {1, 2}) {
    with(user, subscriber, [&] {
      source.subscribe(bind([&calls, subscriber] {
        EXPECT_EQ(user.require(), subscriber);
        EXPECT_EQ(user_of(cause()), 7);
        ++calls;
      }));
    });
  }
  with(user, 7, [&] { source.emit(); });
  EXPECT_EQ(calls, 2);
}

TEST(cause, is_empty_outside_of_a_callback) {
  const scoped_value bound(user, 1);
  EXPECT_EQ(cause().node(), nullptr);
  bind([] {})();
  EXPECT_EQ(cause().node(), nullptr);
  std::thread([] { EXPECT_EQ(cause().node(), nullptr); }).join();
}

TEST(cause, is_empty_where_nothing_is_bound_at_the_emitter) {
  const auto told = with(user, 1, [] { return bind([] { EXPECT_EQ(cause().node(), nullptr); }); });
  auto callback = told;
  callback();
}

TEST(cause, of_nested_callbacks_is_that_of_the_innermost_and_comes_back) {
  auto inner = with(user, 2, [] {
    return bind([] {
      EXPECT_EQ(user.require(), 2);
      EXPECT_EQ(user_of(cause()), 3);  // set by the outer callback, which calls
    });
  });
  auto outer = with(user, 1, [&] {
    return bind([&] {
      EXPECT_EQ(user_of(cause()), 7);
      with(user, 3, [&] { inner(); });
      EXPECT_EQ(user_of(cause()), 7);
    });
  });
  const scoped_value emitter(user, 7);
  outer();
  EXPECT_EQ(cause().node(), nullptr);
}

TEST(cause, is_gone_after_a_callback_that_throws) {
  const scoped_value emitter(user, 7);
  auto fails = bind([] { throw std::runtime_error("no"); });
  auto outer = bind([&] {
    EXPECT_THROW(fails(), std::runtime_error);
    EXPECT_EQ(user_of(cause()), 7);
    throw std::runtime_error("no");
  });
  EXPECT_THROW(outer(), std::runtime_error);
  EXPECT_EQ(cause().node(), nullptr);
}

TEST(cause, is_the_same_in_scopes_that_add_something) {
  auto told = bind([] {
    const scoped_value added(tenant, "acme");
    with_timeout(std::chrono::hours(1), [] {
      shield([] {
        const suppress_flow quiet;
        EXPECT_EQ(user_of(cause()), 7);
      });
    });
  });
  const scoped_value emitter(user, 7);
  told();
}

TEST(cause, is_empty_in_other_work_that_runs_within_the_callback) {
  auto told = bind([] {
    context().with(user, 3).run([] { EXPECT_EQ(cause().node(), nullptr); });
    cause().run([] {
      EXPECT_EQ(user.require(), 7);
      EXPECT_EQ(cause().node(), nullptr);
    });
    const auto here = context().attach();
    EXPECT_EQ(cause().node(), nullptr);
  });
  const scoped_value emitter(user, 7);
  told();
}

TEST(cause, is_what_the_emitter_would_pass_on) {
  auto told = bind([] {
    EXPECT_EQ(cause().find(own), nullptr);
    EXPECT_EQ(user_of(cause()), 7);
  });
  auto told_quietly = bind([] {
    EXPECT_EQ(user_of(cause()), 0);
    EXPECT_EQ(*cause().find(stays), 4);
  });
  const scoped_value emitter(user, 7);
  const scoped_value not_passed_on(own, 3);
  told();
  const scoped_value passed_on(stays, 4);
  const suppress_flow quiet;
  told_quietly();
}

TEST(cause, may_be_kept) {
  context kept;
  auto told = bind([&] { kept = cause(); });
  {
    const scoped_value emitter(user, 7);
    told();
  }
  EXPECT_EQ(user_of(kept), 7);
}

TEST(cause, what_the_emitter_assigned_is_in_it) {
  auto told = bind([] { EXPECT_EQ(user_of(cause()), 8); });
  const scoped_value emitter(user, 7);
  assign(user, 8);
  told();
}

TEST(cause, of_a_framed_callback_is_the_context_of_who_calls_it) {
  auto framed = with(user, 1, [] {
    return frame([](int more) {
      EXPECT_EQ(user.require(), 1);
      return user_of(cause()) + more;
    });
  });
  const scoped_value emitter(user, 7);
  EXPECT_EQ(framed(1), 8);
}

TEST(cause, is_the_same_in_a_frame_that_runs_at_once) {
  auto told = bind([] {
    const auto seen = frame_try([] { return user_of(cause()); }, [](const frame_error&) {});
    EXPECT_EQ(seen, 7);
  });
  const scoped_value emitter(user, 7);
  told();
}

}  // namespace
}  // namespace weft
