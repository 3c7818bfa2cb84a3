#include <weft/executor/blocking.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <stdexcept>
#include <thread>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>

namespace {

constexpr weft::key_spec tenant_spec{.name = "test.blocking_tenant"};
const weft::key<int> tenant{tenant_spec};

TEST(blocking, gives_the_value_or_the_error_of_its_function) {
  EXPECT_EQ(weft::blocking([] { return 3; }), 3);
  weft::blocking([] {});
  EXPECT_THROW(weft::blocking([]() -> int { throw std::out_of_range("no"); }), std::out_of_range);
}

TEST(blocking, runs_on_another_thread_in_the_callers_context) {
  const weft::scoped_value bound{tenant, 4};
  const auto caller = std::this_thread::get_id();
  EXPECT_NE(weft::blocking([] { return std::this_thread::get_id(); }), caller);
  EXPECT_EQ(weft::blocking([] { return tenant.value_or(0); }), 4);
}

TEST(blocking, is_not_cut_short_and_its_function_sees_the_cancellation) {
  weft::cancel_scope scope;
  scope.cancel();
  EXPECT_TRUE(weft::blocking([] { return weft::cancellation_requested().has_value(); }));
}

TEST(blocking, where_waits_are_forbidden_does_not_start_its_function) {
  std::atomic<bool> ran{false};
  {
    const weft::no_wait_scope here("a transaction");
    EXPECT_THROW(weft::blocking([&] { ran = true; }), weft::error);
  }
  weft::blocking([] {});  // behind the other one, had it been queued
  EXPECT_FALSE(ran);
}

TEST(blocking, calls_from_several_threads_all_get_a_thread) {
  for (int count = 2; count <= 40; ++count) {
    std::barrier<> all_inside(count);
    std::vector<std::thread> callers;
    for (int i = 0; i < count; ++i) {
      callers.emplace_back([&] { weft::blocking([&] { all_inside.arrive_and_wait(); }); });
    }
    for (auto& one : callers) one.join();
  }
}

}  // namespace
