// The rules of the context that are not those of a plain scope; context_test.cpp has the rest.

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/context/properties.hpp>

#include "context/keys.hpp"

namespace weft {
namespace {

using testing::tenant;
using testing::user;

inline constexpr key_spec sticky_spec{.name = "test.sticky", .sticky = true};
const key<std::string> stays{sticky_spec};
inline constexpr key_spec private_spec{.name = "test.private", .flow = key_flow::local};
const key<int> own{private_spec};
inline constexpr key_spec hot_spec{.name = "test.hot", .hot = true};
const key<std::string> hot{hot_spec};

/// What a fiber or pool would see that is started here.
template <typename Value>
std::optional<Value> after_a_hop(const key<Value>& of) {
  return context::capture().run([&] {
    const Value* const found = of.find();
    return found == nullptr ? std::nullopt : std::optional<Value>(*found);
  });
}

TEST(context_assign, is_seen_by_the_caller_until_the_innermost_scope_ends) {
  const auto middleware = [](std::int64_t who) { assign(user, who); };
  {
    const scoped_value frame(tenant, "acme");
    middleware(1);
    EXPECT_EQ(user.require(), 1);
    middleware(2);
    EXPECT_EQ(user.require(), 2);
    context::capture().run([&] {
      middleware(3);
      EXPECT_EQ(user.require(), 3);
    });
    EXPECT_EQ(user.require(), 2);
  }
  EXPECT_EQ(user.find(), nullptr);
}

TEST(context_assign, does_not_change_what_was_captured_before) {
  const scoped_value frame(tenant, "acme");
  assign(user, 1);
  const auto before = context::capture();
  assign(user, 2);
  EXPECT_EQ(*before.find(user), 1);
  EXPECT_EQ(user.require(), 2);
}

TEST(context_assign, keeps_nothing_of_a_value_that_it_replaced) {
  static const key_spec spec{.name = "test.replaced"};
  static const key<std::shared_ptr<int>> kept{spec};
  auto first = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = first;
  const scoped_value frame(tenant, "acme");
  assign(kept, std::move(first));
  for (int n = 0; n < 100; ++n) assign(kept, std::make_shared<int>(n));
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(*kept.require(), 99);
}

TEST(context_assign, of_a_plain_thread_ends_with_the_thread) {
  static const key_spec spec{.name = "test.of_thread"};
  static const key<std::shared_ptr<int>> kept{spec};
  auto value = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = value;
  std::thread([value = std::move(value)]() mutable { assign(kept, std::move(value)); }).join();
  EXPECT_TRUE(watched.expired());
}

TEST(context_absent, hides_a_key_until_the_scope_ends) {
  const scoped_value bound(user, 1);
  {
    const scoped_absent hidden(user);
    EXPECT_EQ(user.find(), nullptr);
    EXPECT_EQ(after_a_hop(user), std::nullopt);
  }
  EXPECT_EQ(user.require(), 1);
}

TEST(context_hot, is_read_however_deep_and_may_be_absent) {
  const scoped_value bound(hot, "here");
  std::vector<std::unique_ptr<scoped_value<std::int64_t>>> deep;
  for (int n = 0; n < 50; ++n) deep.push_back(std::make_unique<scoped_value<std::int64_t>>(user, n));
  EXPECT_EQ(hot.require(), "here");
  {
    const scoped_absent hidden(hot);
    EXPECT_EQ(hot.find(), nullptr);
  }
  while (!deep.empty()) deep.pop_back();
  EXPECT_EQ(hot.require(), "here");
}

TEST(suppressed_flow, lets_sticky_keys_through_and_leaves_reading_as_it_was) {
  const scoped_value a(user, 1);
  const scoped_value b(stays, "trace");
  const suppress_flow quiet;
  EXPECT_EQ(user.require(), 1);
  EXPECT_EQ(after_a_hop(user), std::nullopt);
  EXPECT_EQ(after_a_hop(stays), "trace");
}

TEST(suppressed_flow, holds_in_callees_and_for_what_is_bound_inside) {
  const suppress_flow quiet;
  [] {
    const scoped_value a(user, 1);
    const scoped_value b(stays, "newer");
    EXPECT_EQ(user.require(), 1);
    EXPECT_EQ(after_a_hop(user), std::nullopt);
    EXPECT_EQ(after_a_hop(stays), "newer");
  }();
  EXPECT_EQ(after_a_hop(stays), std::nullopt);
}

TEST(suppressed_flow, nests_and_all_is_more_than_all_but_sticky) {
  const scoped_value b(stays, "trace");
  const suppress_flow quiet;
  {
    const suppress_flow silent(suppressed::all);
    EXPECT_EQ(after_a_hop(stays), std::nullopt);
    const suppress_flow quiet_again;
    EXPECT_EQ(after_a_hop(stays), std::nullopt);
    EXPECT_EQ(stays.require(), "trace");
  }
  EXPECT_EQ(after_a_hop(stays), "trace");
}

TEST(suppressed_flow, drops_deadline_and_cancellation_of_what_is_started) {
  with_timeout(std::chrono::hours(1), [] {
    const suppress_flow quiet;
    EXPECT_TRUE(deadline().has_value());
    EXPECT_FALSE(context::capture().run([] { return deadline().has_value(); }));
    const cancel_scope inner;
    EXPECT_FALSE(context::capture().run([] { return deadline().has_value(); }));
    EXPECT_TRUE(deadline().has_value());
  });
}

TEST(suppressed_flow, holds_below_many_bindings) {
  const scoped_value b(stays, "trace");
  const suppress_flow quiet;
  std::vector<std::unique_ptr<scoped_value<std::int64_t>>> deep;
  for (int n = 0; n < 50; ++n) {
    deep.push_back(std::make_unique<scoped_value<std::int64_t>>(user, n));
    ASSERT_EQ(user.require(), n);
    ASSERT_EQ(after_a_hop(user), std::nullopt);
    ASSERT_EQ(after_a_hop(stays), "trace");
  }
  while (!deep.empty()) deep.pop_back();
}

TEST(local_key, is_seen_by_its_task_only) {
  const scoped_value a(user, 1);
  const scoped_value b(own, 2);
  const scoped_value c(tenant, "acme");
  EXPECT_EQ(own.require(), 2);
  EXPECT_EQ(user.require(), 1);
  EXPECT_EQ(after_a_hop(own), std::nullopt);
  EXPECT_EQ(after_a_hop(user), 1);
  EXPECT_EQ(after_a_hop(tenant), "acme");
}

TEST(local_key, lets_deadline_and_cancellation_through) {
  const scoped_value b(own, 2);
  with_timeout(std::chrono::hours(1), [] {
    EXPECT_EQ(own.require(), 2);
    const auto taken = context::capture();
    EXPECT_TRUE(taken.run([] { return deadline().has_value(); }));
    cancel_scope inner;
    inner.cancel();
    EXPECT_TRUE(context::capture().run([] { return cancellation_requested().has_value(); }));
    EXPECT_FALSE(taken.run([] { return cancellation_requested().has_value(); }));
    shield([] {
      EXPECT_EQ(own.require(), 2);
      EXPECT_FALSE(context::capture().run([] { return deadline().has_value(); }));
    });
  });
}

TEST(local_key, is_gone_when_its_scope_ends) {
  const scoped_value a(user, 1);
  { const scoped_value b(own, 2); }
  EXPECT_EQ(own.find(), nullptr);
  EXPECT_EQ(after_a_hop(user), 1);
}

// Observers.

struct change {
  std::optional<std::int64_t> old, now;
  context_change why;
  bool operator==(const change&) const = default;
};
std::vector<change> changes;  // of the main thread
const std::thread::id main_thread = std::this_thread::get_id();

std::optional<std::int64_t> copy_of(const std::int64_t* value) {
  return value == nullptr ? std::nullopt : std::optional(*value);
}
void note_change(const std::int64_t* old, const std::int64_t* now, context_change why) noexcept {
  if (std::this_thread::get_id() == main_thread) changes.push_back({copy_of(old), copy_of(now), why});
}
inline constexpr key_spec observed_spec{.name = "test.observed"};
const key<std::int64_t> observed{observed_spec, &note_change};

TEST(context_observer, is_told_of_set_restore_and_switch) {
  changes.clear();
  context kept;
  {
    const scoped_value bound(observed, 1);
    kept = context::capture();
  }
  kept.run([] {});
  const std::vector<change> wanted{{std::nullopt, 1, context_change::set},
                                   {1, std::nullopt, context_change::restore},
                                   {std::nullopt, 1, context_change::switched},
                                   {1, std::nullopt, context_change::restore}};
  EXPECT_EQ(changes, wanted);
}

TEST(context_observer, is_not_told_of_equal_values_and_other_keys) {
  const scoped_value bound(observed, 1);
  changes.clear();
  const scoped_value again(observed, 1);
  const scoped_value other(user, 5);
  context::capture().run([] {});
  EXPECT_TRUE(changes.empty());
}

TEST(context_observer, is_told_of_assign) {
  changes.clear();
  {
    const scoped_value frame(user, 1);
    assign(observed, 2);
  }
  const std::vector<change> wanted{{std::nullopt, 2, context_change::set},
                                   {2, std::nullopt, context_change::restore}};
  EXPECT_EQ(changes, wanted);
}

void bad_observer(const int* old, const int*, context_change) noexcept {
  if (old == nullptr) assign(user, 666);
}
inline constexpr key_spec badly_observed_spec{.name = "test.badly_observed"};
const key<int> badly_observed{badly_observed_spec, &bad_observer};

class misnesting : public ::testing::Test {
 protected:
  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    detail::misnesting_aborts = false;
  }
  void TearDown() override { detail::misnesting_aborts = aborts_; }

 private:
  const bool aborts_ = detail::misnesting_aborts;
};

TEST_F(misnesting, of_an_observer_that_changes_the_context_is_ignored) {
  const scoped_value around(user, 1);
  const scoped_value bound(badly_observed, 1);
  EXPECT_EQ(user.require(), 1);
}

TEST_F(misnesting, of_an_observer_that_changes_the_context_ends_a_debug_build) {
  EXPECT_DEATH(
      {
        detail::misnesting_aborts = true;
        const scoped_value bound(badly_observed, 1);
      },
      "test.badly_observed.*changed the context");
}

using scope = std::unique_ptr<scoped_value<std::int64_t>>;
scope bind_user(std::int64_t who, std::source_location from = std::source_location::current()) {
  return std::make_unique<scoped_value<std::int64_t>>(user, who, from);
}

TEST_F(misnesting, restores_what_was_before_the_outermost_wrong_scope) {
  const auto before = get_context_statistics().scopes_misnested;
  const scoped_value around(user, 0);
  auto outer = bind_user(1), middle = bind_user(2), inner = bind_user(3);
  outer.reset();
  EXPECT_EQ(user.require(), 0);
  middle.reset();
  EXPECT_EQ(user.require(), 0);
  inner.reset();
  EXPECT_EQ(user.require(), 0);
  EXPECT_EQ(get_context_statistics().scopes_misnested, before + 1);
  auto again = bind_user(4);
  EXPECT_EQ(user.require(), 4);
  again.reset();
  EXPECT_EQ(user.require(), 0);
}

TEST_F(misnesting, of_attached_contexts_restores_as_well) {
  const scoped_value around(user, 0);
  const auto other = context().with(user, 7);
  auto outer = bind_user(1);
  std::optional<context::attachment> inner(std::in_place, other);
  outer.reset();
  EXPECT_EQ(user.require(), 0);
  inner.reset();
  EXPECT_EQ(user.require(), 0);
}

TEST_F(misnesting, of_a_callback_restores_the_cause) {
  const scoped_value emitter(user, 7);
  std::optional<context::attachment> left_open;
  auto inner = bind([&] { left_open.emplace(context()); });
  auto outer = bind([&] {
    with(user, 8, [&] { inner(); });
    EXPECT_EQ(*cause().find(user), 7);
    left_open.reset();
    EXPECT_EQ(*cause().find(user), 7);
  });
  outer();
  EXPECT_EQ(cause().node(), nullptr);
}

/// In a process of its own: what the task of the test has in force afterwards is not for the next test.
template <typename Body>
void in_child(Body body) {
  EXPECT_EXIT(
      {
        body();
        std::exit(::testing::Test::HasFailure() ? 1 : 0);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(misnesting, on_another_task_leaves_both_tasks_alone) {
  in_child([] {
    auto bound = bind_user(1);
    std::thread([&] {
      const scoped_value own_value(user, 5);
      bound.reset();
      EXPECT_EQ(user.require(), 5);
    }).join();
    EXPECT_EQ(get_context_statistics().scopes_misnested, 1U);
    EXPECT_EQ(user.require(), 1);
  });
}

TEST_F(misnesting, on_another_task_does_not_confuse_the_scope_around_it) {
  in_child([] {
    {
      const scoped_value around(user, 1);
      auto bound = bind_user(2);
      std::thread([&] { bound.reset(); }).join();  // its memory is gone, and this task does not know
      const scoped_value more(tenant, "acme");
    }
    EXPECT_EQ(user.find(), nullptr);
    EXPECT_EQ(tenant.find(), nullptr);
  });
}

TEST_F(misnesting, on_another_task_costs_the_cause) {
  in_child([] {
    const scoped_value emitter(user, 7);
    auto told = bind([] {
      auto bound = bind_user(2);
      std::thread([&] { bound.reset(); }).join();
      EXPECT_EQ(cause().node(), nullptr);
    });
    told();
  });
}

TEST_F(misnesting, ends_a_debug_build_and_names_both_scopes) {
  EXPECT_DEATH(
      {
        detail::misnesting_aborts = true;
        auto outer = bind_user(1);
        auto inner = bind_user(2);
        outer.reset();
      },
      "rules_test.cpp:[0-9]+ .*ended while the one made inside it at .*rules_test.cpp:[0-9]+");
}

// Lifetime.

TEST(context_lifetime, ends_values_where_the_key_says) {
  static std::vector<std::function<void()>> elsewhere;
  static const key_spec spec{.name = "test.destroyed_elsewhere",
                             .destroy_on = [](void (*destroy)(void*) noexcept, void* value) noexcept {
                               elsewhere.push_back([=] { destroy(value); });
                             }};
  static const key<std::shared_ptr<int>> kept{spec};
  auto value = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = value;
  { const scoped_value bound(kept, std::move(value)); }
  EXPECT_FALSE(watched.expired());
  ASSERT_EQ(elsewhere.size(), 1U);
  elsewhere.front()();
  EXPECT_TRUE(watched.expired());
}

TEST(context_lifetime, of_a_pointer_from_find_is_that_of_the_scope_around_it) {
  const scoped_value around(tenant, "acme");
  const scoped_value number(user, 5);
  const std::string* const text = tenant.find();
  const std::int64_t* const word = user.find();
  std::vector<std::unique_ptr<scoped_value<std::int64_t>>> deep;
  for (int n = 0; n < 50; ++n) deep.push_back(std::make_unique<scoped_value<std::int64_t>>(user, n));
  EXPECT_EQ(*text, "acme");
  EXPECT_EQ(*word, 5);
  while (!deep.empty()) deep.pop_back();
}

inline constexpr key_spec shared_spec{.name = "test.shared"};
const key<std::shared_ptr<int>> shared{shared_spec};

// R22
TEST(context_batch, has_as_many_captures_as_were_asked_for_and_drops_what_nobody_took) {
  const auto held = std::make_shared<int>(1);
  {
    const weft::scoped_value bound(shared, held);
    std::vector<weft::context> taken;
    {
      weft::batch_capture all(1000);
      for (int n = 0; n < 600; ++n) taken.push_back(all.take());
    }
    const weft::scoped_absent hidden(shared);
    for (const auto& one : taken) EXPECT_EQ(**one.find(shared), 1);
    EXPECT_EQ(shared.find(), nullptr);
    std::thread elsewhere(
        [mine = std::move(taken)] { EXPECT_EQ(mine.back().run([] { return **shared.find(); }), 1); });
    elsewhere.join();
  }
  EXPECT_EQ(held.use_count(), 1);
  const weft::batch_capture none(0);
  weft::batch_capture of_root(2);
  EXPECT_EQ(of_root.take().find(shared), nullptr);
}

TEST(context_batch, takes_what_a_hop_takes) {
  const weft::scoped_value bound(shared, std::make_shared<int>(1));
  const weft::suppress_flow none;
  weft::batch_capture all(2);
  EXPECT_EQ(all.take().find(shared), nullptr);
  EXPECT_NE(shared.find(), nullptr);
}

TEST(context_chain, that_each_task_makes_longer_keeps_few_values) {
  static int alive = 0;
  struct counted {
    counted() { ++alive; }
    counted(const counted&) { ++alive; }
    ~counted() { --alive; }
  };
  static const key_spec spec{.name = "test.chained"};
  static const key<std::shared_ptr<counted>> chained{spec};
  context last;
  int most = 0;
  for (int n = 0; n < 1000; ++n) {
    last = last.run([] {
      const scoped_value bound(chained, std::make_shared<counted>());
      return context::capture();
    });
    most = std::max(most, alive);
  }
  EXPECT_LE(most, 20);
  last = {};
  EXPECT_EQ(alive, 0);
}

TEST(context_fork, leaves_the_child_at_root_and_ends_nothing_of_the_parent) {
  static int ended = 0;
  struct counted {
    explicit counted(int) {}
    ~counted() { ++ended; }
  };
  static const key_spec spec{.name = "test.forked"};
  static const key<std::shared_ptr<counted>> forked{spec};
  pid_t child = 0;
  {
    const scoped_value a(user, 1);
    auto b = std::make_unique<scoped_value<std::shared_ptr<counted>>>(forked, std::make_shared<counted>(1));
    child = fork();
    if (child == 0) {
      const bool at_root = user.find() == nullptr && forked.find() == nullptr;
      bool works = false;
      {
        const scoped_value own_value(user, 9);
        works = user.require() == 9;
      }
      b.reset();
      _exit(at_root && works && user.find() == nullptr && ended == 0 ? 0 : 1);
    }
    EXPECT_EQ(user.require(), 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(ended, 1);
}

// Properties.

TEST(context_properties, are_set_read_and_removed_by_name) {
  const scoped_value frame(user, 1);
  EXPECT_EQ(properties().get<int>("a"), std::nullopt);
  properties().set("a", 1);
  properties().set("b", "text");
  EXPECT_EQ(properties().get<int>("a"), 1);
  EXPECT_EQ(properties().get<std::string>("b"), "text");
  EXPECT_EQ(properties().names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(properties().remove("a"));
  EXPECT_FALSE(properties().remove("a"));
  EXPECT_FALSE(properties().contains("a"));
  properties().clear();
  EXPECT_TRUE(properties().names().empty());
}

TEST(context_properties, of_another_type_are_refused_by_name) {
  const scoped_value frame(user, 1);
  properties().set("limit", 1);
  try {
    static_cast<void>(properties().get<std::string>("limit"));
    FAIL() << "gave an int as a string";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::misuse);
    EXPECT_NE(refused.message().find("\"limit\""), std::string::npos);
  }
}

TEST(context_properties, are_inherited_and_never_changed_by_others) {
  const scoped_value frame(user, 1);
  properties().set("a", 1);
  const auto taken = context::capture();
  properties().set("a", 2);
  taken.run([] {
    EXPECT_EQ(properties().get<int>("a"), 1);
    properties().set("a", 3);
  });
  EXPECT_EQ(properties().get<int>("a"), 2);
  EXPECT_EQ(taken.run([] { return properties().get<int>("a"); }), 1);
}

}  // namespace
}  // namespace weft
