// A database and two hosts with workers, each in a network of its own; one host is cut off and comes back.

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>

#include "jobs/postgres_host_fixture.hpp"
#include "support/network_hosts.hpp"
#include "support/sanitized.hpp"

namespace weft::jobs {
namespace {

using weft_test::comes_true;
using weft_test::network_hosts;

class postgres_hosts : public postgres_host_fixture {
 protected:
  void SetUp() override {
    if (sanitized) GTEST_SKIP() << "not under a sanitizer";
    if (!weft_test::may_make_networks()) {
      GTEST_SKIP() << "this process may not make network namespaces: that takes root, with its capabilities";
    }
    hosts_ = std::make_unique<network_hosts>(2);
    start_server(hosts_->middle());
  }

  std::unique_ptr<worker_host> start_host(int number) {
    const std::string url =
        "postgres://weft@" + network_hosts::middle_seen_from(number) + "/postgres?connect_timeout=5";
    return std::make_unique<worker_host>(std::to_string(number), url, keys_, book_, hosts_->other(number));
  }
  std::vector<job_id> push(std::size_t count, std::int64_t milliseconds = 50) {
    auto ids = queue_->push_many(std::vector<closure<>>(count, step_of_host(milliseconds)));
    pushed_.insert(pushed_.end(), ids.begin(), ids.end());
    return ids;
  }
  /// Whether the host has begun one of those.
  bool has_begun(const std::string& host, const std::vector<job_id>& some) const {
    const auto all = runs();
    return std::any_of(all.begin(), all.end(), [&](const run_line& one) {
      return one.host == host &&
             std::any_of(some.begin(), some.end(), [&](job_id id) { return to_string(id) == one.job; });
    });
  }
  std::size_t runs_of(const std::string& host) const {
    const auto all = runs();
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const run_line& one) { return one.host == host; }));
  }

  std::unique_ptr<network_hosts> hosts_;
  std::vector<job_id> pushed_;
};

TEST_F(postgres_hosts,
       one_that_is_cut_off_and_comes_back_loses_nothing_and_repeats_nothing_that_was_recorded) {
  auto first = start_host(1);
  auto second = start_host(2);
  push(100);
  ASSERT_TRUE(comes_true([&] { return runs_of("1") >= 10 && runs_of("2") >= 10; }));
  const auto long_ones = push(20, 2'000);
  ASSERT_TRUE(comes_true([&] { return has_begun("1", long_ones); })) << "it holds one when it is cut off";
  hosts_->cut(1);
  ASSERT_TRUE(comes_true([&] { return queue_->kept_in().workers().size() == 1; }));
  push(100);
  ASSERT_TRUE(comes_true([&] { return counts().done == 220; }));
  const std::size_t before = runs_of("1");
  hosts_->mend(1);
  ASSERT_TRUE(comes_true([&] { return queue_->kept_in().workers().size() == 2; }));
  // It has its part again; the other one may have done the first of these alone before all its connections
  // work.
  ASSERT_TRUE(comes_true([&] {
    if (counts().done == std::ssize(pushed_)) push(50);
    return runs_of("1") > before;
  }));
  ASSERT_TRUE(comes_true([&] { return counts().done == std::ssize(pushed_); }));
  for (const char* const host : {"1", "2"}) queue_->push(end_host(), {.queue = host});
  EXPECT_TRUE(first->had_late_results());
  EXPECT_FALSE(second->had_late_results());
  std::map<job_id, moment> ends;
  for (const job_id id : pushed_) {
    const auto info = queue_->show(id);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->state, job_state::done);
    ends.emplace(id, info->finished.value());
  }
  check_runs(ends);
}

}  // namespace
}  // namespace weft::jobs
