#include <weft/executor/thread.hpp>

#include <gtest/gtest.h>

#include <pthread.h>
#include <latch>
#include <stdexcept>
#include <string>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/executor/common_pool.hpp>

#include "support/uncaught_errors.hpp"

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec tenant_spec{.name = "test.thread_tenant"};
const weft::key<int> tenant{tenant_spec};

TEST(thread, runs_in_the_context_of_where_it_was_made) {
  int seen = 0;
  weft::thread made;
  EXPECT_FALSE(made.joinable());
  {
    const weft::scoped_value bound{tenant, 3};
    made = weft::thread([&] { seen = tenant.value_or(0); });
  }
  made.join();
  EXPECT_EQ(seen, 3);
  EXPECT_FALSE(made.joinable());
}

TEST(thread, has_the_name_it_was_given) {
  std::string seen;
  weft::thread(
      [&] {
        char name[16] = {};
        // The name is set by who makes the thread, at once after that.
        while (pthread_getname_np(pthread_self(), name, sizeof name) == 0 && std::string(name) != "crunch") {
        }
        seen = name;
      },
      {.name = "crunch"})
      .join();
  EXPECT_EQ(seen, "crunch");
}

TEST(thread, the_destructor_waits_and_cancel_is_seen) {
  weft::promise<void> never;
  auto stuck_on = never.get_future();
  bool gave_up = false;
  {
    weft::thread made([&] {
      try {
        stuck_on.get();
      } catch (const weft::cancelled&) {
        gave_up = true;
      }
    });
    EXPECT_FALSE(made.join_for(1ms));
    made.cancel();
  }
  EXPECT_TRUE(gave_up);
}

TEST(thread, reports_what_it_throws_once_and_in_its_context) {
  const uncaught_errors seen([] { return tenant.value_or(0); });
  weft::with(tenant, 2,
             [] { weft::thread([] { throw std::runtime_error("thread"); }, {.name = "loses"}).join(); });
  ASSERT_EQ(seen.all().size(), 1U);
  EXPECT_EQ(seen.all()[0].text, "thread");
  EXPECT_EQ(seen.all()[0].executor, "loses");
  EXPECT_EQ(seen.all()[0].mark, 2);
}

TEST(thread, may_not_join_itself_and_its_executor_is_the_common_pool) {
  weft::thread made;
  std::latch set(1);
  bool refused = false;
  bool common = false;
  made = weft::thread([&] {
    set.wait();
    try {
      made.join();
    } catch (const weft::error& error) {
      refused = error.code() == weft::errc::deadlock;
    }
    common = weft::current_executor() == weft::common_pool();
  });
  set.count_down();
  made.join();
  EXPECT_TRUE(refused);
  EXPECT_TRUE(common);
}

}  // namespace
