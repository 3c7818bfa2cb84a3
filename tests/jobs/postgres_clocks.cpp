// Two hosts with workers, one whose clock is an hour behind and one whose clock is an hour ahead: all moments
// are the server's, so nothing is early, nothing is late, and nothing happens twice.

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include <weft/jobs/cron.hpp>

#include "jobs/postgres_host_fixture.hpp"
#include "support/sanitized.hpp"

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;
using weft_test::comes_true;

class postgres_clocks : public postgres_host_fixture {
 protected:
  void SetUp() override {
    if (sanitized) GTEST_SKIP() << "not under a sanitizer";
    if (!weft_test::is_root()) GTEST_SKIP() << "processes that are hosts of their own take root";
    start_server();
    behind_ = std::make_unique<worker_host>("behind", server_->url(), keys_, book_, "", -1h);
    ahead_ = std::make_unique<worker_host>("ahead", server_->url(), keys_, book_, "", 1h);
  }

  std::int64_t done() {
    std::int64_t sum = 0;
    for (const auto& one : queue_->stats()) sum += one.done;
    return sum;
  }
  std::vector<job_info> all_jobs(const std::string& tag = {}) {
    std::vector<job_info> all;
    for (const auto& one :
         queue_->list({.queue = {}, .tag = tag, .state = {}, .before = {}, .limit = 10'000}))
      all.push_back(queue_->show(one.id).value());
    return all;
  }
  /// This machine's clock, which is the server's.
  static moment now() { return clock::system().now(); }

  std::unique_ptr<worker_host> behind_;
  std::unique_ptr<worker_host> ahead_;
};

TEST_F(postgres_clocks, that_differ_make_no_job_early_or_late) {
  const moment began = now();
  const auto from_here = queue_->push(step_of_host(0), {.delay = 2s});
  queue_->push(pass_on_host("ahead", 2'000), {.queue = "behind"});
  queue_->push(pass_on_host("behind", 2'000), {.queue = "ahead"});
  ASSERT_TRUE(comes_true([&] { return done() == 5; }));
  const moment ended = now();
  int delayed = 0;
  for (const job_info& one : all_jobs()) {
    ASSERT_TRUE(one.due && one.finished && one.past.size() == 1);
    EXPECT_GE(one.created, began - 100ms);
    EXPECT_LE(*one.finished, ended + 100ms);
    EXPECT_GE(one.past[0].started, *one.due) << to_string(one.id);
    EXPECT_LE(one.created, one.past[0].started);
    EXPECT_LE(one.past[0].started, one.past[0].ended);
    delayed += *one.due == one.created + 2s ? 1 : 0;
  }
  EXPECT_EQ(delayed, 3);
  EXPECT_GE(queue_->show(from_here)->past[0].started, began + 2s - 100ms);
}

TEST_F(postgres_clocks, that_differ_do_not_change_a_rate) {
  constexpr int each = 3;
  const limit_options slow{.key = "slow", .max = 10, .rate = {.count = 1, .period = 1s, .burst = 1}};
  const auto began = steady_clock::now();
  for (int i = 0; i < each; ++i) {
    for (const char* const host : {"behind", "ahead"})
      queue_->push(step_of_host(0), {.queue = host, .limit = slow});
  }
  ASSERT_TRUE(comes_true([&] { return done() == 2 * each; })) << "a token comes each second, on both";
  EXPECT_GE(steady_clock::now() - began, std::chrono::seconds(2 * each - 1) - 10ms);
}

TEST_F(postgres_clocks, that_differ_take_no_lease_from_a_worker_that_lives) {
  std::vector<job_id> ids;
  for (const char* const host : {"behind", "ahead"})
    ids.push_back(queue_->push(step_of_host(3'000), {.queue = host}));
  ASSERT_TRUE(comes_true([&] { return done() == 2; }));
  EXPECT_EQ(runs().size(), 2U);
  for (const job_id id : ids) EXPECT_EQ(queue_->show(id)->crashes, 0);
  EXPECT_EQ(queue_->kept_in().workers().size(), 2U);
}

TEST_F(postgres_clocks, that_differ_fire_each_time_of_a_schedule_once) {
  const moment began = now();
  queue_->schedule("tick", cron("* * * * * *"), step_of_host(0), {.policy = catch_up::all});
  ASSERT_TRUE(comes_true([&] { return done() >= 5; }));
  EXPECT_TRUE(queue_->unschedule("tick"));
  const moment ended = now();
  std::vector<moment> times;
  for (const job_info& one : all_jobs("schedule:tick")) times.push_back(one.due.value());
  std::ranges::sort(times);
  ASSERT_GE(times.size(), 5U);
  EXPECT_GE(times.front(), began - 100ms);
  EXPECT_LE(times.back(), ended + 100ms);
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_EQ(times[i] - times[i - 1], 1s) << i;
}

}  // namespace
}  // namespace weft::jobs
