#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>

#include "context/keys.hpp"

namespace weft {
namespace {

using testing::local;
using testing::tenant;
using testing::user;

inline constexpr key_spec optional_spec{.name = "test.optional"};
inline const key<std::optional<int>> maybe{optional_spec};
inline constexpr key_spec secret_spec{
    .name = "test.secret", .wire = wire_policy::job, .log = true, .redact = true};
inline const key<std::string> secret{secret_spec};

TEST(context, a_key_has_no_value_before_it_is_bound) {
  EXPECT_EQ(user.find(), nullptr);
  EXPECT_EQ(user.value_or(5), 5);
  try {
    user.require();
    FAIL() << "require gave a value";
  } catch (const missing_context_key& missing) {
    EXPECT_EQ(missing.code(), errc::not_found);
    EXPECT_NE(missing.message().find("test.user"), std::string::npos);
  }
}

TEST(context, a_scoped_value_holds_until_its_scope_ends_and_the_inner_one_wins) {
  const scoped_value outer(user, 1);
  {
    const scoped_value inner(user, 2);
    EXPECT_EQ(user.require(), 2);
  }
  EXPECT_EQ(user.require(), 1);
}

TEST(context, is_restored_when_an_exception_leaves_the_scope) {
  try {
    const scoped_value inner(user, 2);
    throw 1;
  } catch (int) {
    EXPECT_EQ(user.find(), nullptr);
  }
}

TEST(context, a_captured_context_is_not_changed_by_anything_later) {
  const scoped_value first(user, 1);
  const auto captured = context::capture();
  const scoped_value second(user, 2);
  const auto extended = captured.with(tenant, "acme").without(user);
  EXPECT_EQ(*captured.find(user), 1);
  EXPECT_EQ(captured.find(tenant), nullptr);
  EXPECT_EQ(extended.find(user), nullptr);
  EXPECT_EQ(*extended.find(tenant), "acme");
}

TEST(context, a_captured_context_outlives_the_scope_that_made_it) {
  context kept;
  {
    const scoped_value bound(tenant, std::string(100, 'x'));
    kept = context::capture();
  }
  EXPECT_EQ(tenant.find(), nullptr);
  EXPECT_EQ(kept.find(tenant)->size(), 100U);
}

TEST(context, a_callee_cannot_change_its_caller) {
  const scoped_value mine(user, 1);
  [] { const scoped_value its_own(user, 2); }();
  with(user, 3, [] { EXPECT_EQ(user.require(), 3); });
  EXPECT_EQ(user.require(), 1);
}

TEST(context, a_thread_starts_from_root_and_cannot_change_another) {
  const scoped_value mine(user, 1);
  std::thread([] {
    EXPECT_EQ(user.find(), nullptr);
    const scoped_value theirs(user, 2);
  }).join();
  EXPECT_EQ(user.require(), 1);
}

TEST(context, absent_and_present_but_empty_differ) {
  const scoped_value empty(maybe, std::nullopt);
  ASSERT_NE(maybe.find(), nullptr);
  EXPECT_FALSE(maybe.find()->has_value());
  const auto hidden = context::capture().without(maybe);
  hidden.run([] {
    EXPECT_EQ(maybe.find(), nullptr);
    const scoped_value again(maybe, 3);
    EXPECT_EQ(*maybe.require(), 3);
  });
}

TEST(context, run_attaches_and_restores_also_when_the_work_throws) {
  const auto other = context().with(user, 7);
  const scoped_value mine(user, 1);
  EXPECT_EQ(other.run([] { return user.require(); }), 7);
  EXPECT_THROW(other.run([]() -> int { throw std::runtime_error("x"); }), std::runtime_error);
  EXPECT_EQ(user.require(), 1);
}

TEST(context, run_hides_what_is_bound_around_it) {
  const scoped_value mine(user, 1);
  context().run([] { EXPECT_EQ(user.find(), nullptr); });
}

TEST(context, run_gives_back_references_as_they_are) {
  int here = 1;
  int& again = context().run([&]() -> int& { return here; });
  EXPECT_EQ(&again, &here);
}

TEST(context, an_attachment_holds_until_its_end) {
  const auto other = context().with(user, 7);
  {
    const auto here = other.attach();
    EXPECT_EQ(user.require(), 7);
  }
  EXPECT_EQ(user.find(), nullptr);
}

TEST(context, a_bound_callable_sees_the_context_of_where_it_was_bound) {
  auto bound = with(user, 1, [] { return bind([](int more) { return user.require() + more; }); });
  const scoped_value elsewhere(user, 100);
  EXPECT_EQ(bound(10), 11);
  std::int64_t on_thread = 0;
  std::thread([&] { on_thread = bound(20); }).join();
  EXPECT_EQ(on_thread, 21);
  EXPECT_EQ(user.require(), 100);
}

TEST(context, a_bound_callable_may_be_move_only_and_keeps_its_state) {
  auto bound = bind([count = std::make_unique<int>(0)]() mutable { return ++*count; });
  bound();
  EXPECT_EQ(bound(), 2);
}

TEST(context, one_capture_may_be_used_on_many_threads_at_once) {
  const scoped_value mine(tenant, "shared");
  const auto captured = context::capture();
  std::vector<std::thread> all;
  for (int t = 0; t < 4; ++t) {
    all.emplace_back([copy = captured, t] {
      for (int n = 0; n < 500; ++n) {
        const auto own = copy.with(user, t);
        own.run([&] {
          EXPECT_EQ(user.require(), t);
          EXPECT_EQ(tenant.require(), "shared");
        });
      }
    });
  }
  for (auto& each : all) each.join();
  EXPECT_EQ(user.find(), nullptr);
}

struct sees_at_its_end {
  bool* saw_a_value;
  ~sees_at_its_end() { *saw_a_value = user.find() != nullptr; }
};
inline constexpr key_spec witness_spec{.name = "test.witness"};
inline const key<std::shared_ptr<sees_at_its_end>> witness{witness_spec};

TEST(context, values_end_in_root_context) {
  bool saw_a_value = true;
  const scoped_value around(user, 1);
  {
    const scoped_value bound(witness, std::make_shared<sees_at_its_end>(sees_at_its_end{&saw_a_value}));
    EXPECT_NE(user.find(), nullptr);
  }
  EXPECT_FALSE(saw_a_value);
  EXPECT_EQ(user.require(), 1);
}

TEST(context, a_chain_of_a_million_bindings_ends_without_recursion) {
  context deep;
  for (int n = 0; n < 1'000'000; ++n) deep = deep.with(user, n);
  EXPECT_EQ(*deep.find(user), 999'999);
  deep = {};
  EXPECT_EQ(deep.find(user), nullptr);
}

TEST(context, bindings_are_the_same_below_many_nested_scopes) {
  const scoped_value outer{tenant, "acme"};
  std::vector<std::unique_ptr<scoped_value<std::int64_t>>> values;
  std::vector<std::unique_ptr<cancel_scope>> scopes;
  context half_way;
  for (int n = 0; n < 200; ++n) {
    values.push_back(std::make_unique<scoped_value<std::int64_t>>(user, n));
    scopes.push_back(std::make_unique<cancel_scope>());
    if (n == 100) half_way = context::capture();
    ASSERT_EQ(user.value_or(-1), n);
    ASSERT_EQ(tenant.value_or(""), "acme");
  }
  while (!scopes.empty()) {
    scopes.pop_back();
    values.pop_back();
  }
  EXPECT_EQ(user.find(), nullptr);
  EXPECT_EQ(*half_way.find(user), 100);
  EXPECT_EQ(*half_way.find(tenant), "acme");
}

TEST(context, a_key_made_absent_stays_so_below_many_nested_scopes) {
  const scoped_value outer{user, 5};
  const auto absent = context::capture().without(user).attach();
  std::vector<std::unique_ptr<cancel_scope>> scopes;
  for (int n = 0; n < 100; ++n) {
    scopes.push_back(std::make_unique<cancel_scope>());
    ASSERT_EQ(user.find(), nullptr);
  }
  while (!scopes.empty()) scopes.pop_back();
}

TEST(context, keys_that_share_a_bit_of_the_mask_are_told_apart) {
  // Ids 64 apart share their bit: 70 keys are enough to have such a pair.
  static std::vector<std::string> names;
  static std::vector<std::unique_ptr<key<int>>> many;
  names.reserve(70);
  for (int n = static_cast<int>(many.size()); n < 70; ++n) {
    names.push_back("test.many." + std::to_string(n));
    many.push_back(std::make_unique<key<int>>(key_spec{.name = names.back()}));
  }
  const auto bound = context().with(*many[0], 0).with(*many[1], 1);
  EXPECT_EQ(bound.find(*many[64]), nullptr);
  EXPECT_EQ(bound.find(*many[65]), nullptr);
  const auto both = bound.with(*many[64], 64);
  EXPECT_EQ(*both.find(*many[0]), 0);
  EXPECT_EQ(*both.find(*many[64]), 64);
}

TEST(context_log_entries, are_the_latest_values_of_keys_for_logs_by_name_with_secrets_hidden) {
  const auto bound = context()
                         .with(user, 1)
                         .with(tenant, "not for logs")
                         .with(secret, "hunter2")
                         .with(local, "here")
                         .with(user, 2);
  std::string text;
  for (const auto& entry : bound.log_entries()) text += entry.name + "=" + entry.text + " ";
  EXPECT_EQ(text, "test.local=here test.secret=*** test.user=2 ");
}

TEST(context_log_entries, do_not_show_a_key_that_was_made_absent) {
  EXPECT_TRUE(context().with(user, 1).without(user).log_entries().empty());
  EXPECT_TRUE(context().log_entries().empty());
}

template <typename Value>
std::optional<Value> through_text(Value value) {
  return context_codec<Value>::from_text(context_codec<Value>::to_text(value));
}

enum class colour : short { red = 1, blue = -2 };

TEST(context_codec, gives_back_what_it_was_given) {
  EXPECT_EQ(through_text(std::numeric_limits<std::int64_t>::min()), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(through_text(std::numeric_limits<std::uint64_t>::max()),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(through_text(0.1), 0.1);
  EXPECT_EQ(through_text(true), true);
  EXPECT_EQ(through_text(false), false);
  EXPECT_EQ(through_text(std::string("a\0b", 3)), std::string("a\0b", 3));
  EXPECT_EQ(through_text(colour::blue), colour::blue);
  const std::chrono::system_clock::time_point when(std::chrono::microseconds(1'700'000'000'123'456));
  EXPECT_EQ(through_text(when), when);
}

TEST(context_codec, gives_nothing_for_a_text_it_cannot_read) {
  for (const auto* text : {"", "x", "1x", " 1", "300"}) {
    EXPECT_EQ(context_codec<std::int8_t>::from_text(text), std::nullopt) << text;
  }
  EXPECT_EQ(context_codec<bool>::from_text("1"), std::nullopt);
  EXPECT_EQ(context_codec<colour>::from_text("red"), std::nullopt);
}

class context_key_death : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

struct opaque {};

TEST_F(context_key_death, two_keys_of_one_name_end_the_program_and_name_it) {
  EXPECT_DEATH(key<int>(key_spec{.name = "test.user"}), "test.user.*declared twice");
}

TEST_F(context_key_death, a_name_with_other_characters_or_none_is_refused) {
  EXPECT_DEATH(key<int>(key_spec{.name = "Test.User"}), "names are 1 to 128 characters");
  EXPECT_DEATH(key<int>(key_spec{.name = ""}), "names are 1 to 128 characters");
  static const std::string too_long(129, 'a');
  EXPECT_DEATH(key<int>(key_spec{.name = too_long}), "names are 1 to 128 characters");
}

TEST_F(context_key_death, a_key_that_travels_needs_a_text_form_and_a_secret_is_no_baggage) {
  EXPECT_DEATH(key<opaque>(key_spec{.name = "test.opaque", .wire = wire_policy::worker}),
               "needs a weft::context_codec");
  EXPECT_DEATH(key<int>(key_spec{.name = "test.loud", .wire = wire_policy::baggage, .redact = true}),
               "cannot be baggage");
}

}  // namespace
}  // namespace weft
