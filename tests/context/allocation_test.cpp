// What the context does when there is no memory.

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>

#include "context/keys.hpp"
#include "support/limited_memory.hpp"
#include "support/sanitized.hpp"

namespace weft {
namespace {

using testing::allocations_left;
using testing::tenant;
using testing::user;

constexpr key_spec own_spec{.name = "test.alloc.local", .flow = key_flow::local};
const key<int> own{own_spec};
constexpr key_spec stays_spec{.name = "test.alloc.sticky", .sticky = true};
const key<std::string> stays{stays_spec};

/// Runs `change` with one allocation allowed, then two, and so on until it has all it needs; each time before
/// that it must throw and leave the context as it was. Gives how often it threw.
template <typename Change>
int fail_each_allocation(Change&& change) {
  int failed = 0;
  for (;; ++failed) {
    const auto* const before = context::current().node();
    allocations_left = failed;
    bool threw = false;
    try {
      change();
    } catch (const std::bad_alloc&) {
      threw = true;
    }
    allocations_left = -1;
    EXPECT_EQ(context::current().node(), before);
    if (!threw) return failed;
    if (failed > 100) return -1;
  }
}

/// Takes the free nodes of the thread, so that each new one is allocated.
struct no_free_nodes {
  no_free_nodes() {
    for (int n = 0; n < 300; ++n) kept.push_back(context().with(user, n));
  }
  std::vector<context> kept;
};

TEST(context_without_memory, a_scope_that_cannot_be_made_changes_nothing) {
  const scoped_value around(user, 1);
  const no_free_nodes taken;
  const std::string text(100, 'x');
  EXPECT_GT(fail_each_allocation([&] {
              static_assert(noexcept(context::capture())&& noexcept(user.find()));
              const scoped_value bound(tenant, text);
            }),
            1);
  EXPECT_EQ(user.require(), 1);
}

TEST(context_without_memory, a_divided_scope_that_cannot_be_made_changes_nothing) {
  const scoped_value around(stays, "here");
  const no_free_nodes taken;
  EXPECT_GT(fail_each_allocation([&] {
              const scoped_value local(own, 1);
              const scoped_value both(user, 2);
              const cancel_scope inner;
              const suppress_flow quiet;
            }),
            5);
}

TEST(context_without_memory, capture_find_and_restore_need_none) {
  const no_free_nodes taken;
  auto bound = std::make_unique<scoped_value<std::int64_t>>(user, 1);
  auto local = std::make_unique<scoped_value<int>>(own, 1);
  allocations_left = 0;
  const auto captured = context::capture();
  const auto* const found = captured.find(user);
  local.reset();
  bound.reset();
  allocations_left = -1;
  EXPECT_EQ(*found, 1);
  EXPECT_EQ(user.find(), nullptr);
}

TEST(context_without_memory, a_long_chain_stays_a_chain) {
  const no_free_nodes taken;
  context deep;
  for (int n = 0; n < 16; ++n) deep = deep.with(user, n);
  allocations_left = 1;  // the binding, and none for a table
  deep = deep.with(user, 16);
  allocations_left = -1;
  EXPECT_EQ(*deep.find(user), 16);
  deep = deep.with(user, 17);
  EXPECT_EQ(*deep.find(user), 17);
}

TEST(context_without_memory, a_scope_on_a_warm_thread_asks_for_none) {
  if (sanitized) GTEST_SKIP() << "free nodes go back at once there, so that their use is seen";
  { const scoped_value warm(user, 1); }
  allocations_left = 0;
  for (int n = 0; n < 100; ++n) {
    const scoped_value bound(user, n);
  }
  allocations_left = -1;
}

}  // namespace
}  // namespace weft
