// A database and two hosts with workers, each in a network of its own; one host is cut off and comes back.

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include <weft/jobs/queue.hpp>

#include "jobs/postgres_host_jobs.hpp"
#include "support/network_hosts.hpp"
#include "support/postgres_server.hpp"
#include "support/sanitized.hpp"
#include "support/shared_board.hpp"

namespace weft::jobs {
namespace {

using weft_test::comes_true;
using weft_test::network_hosts;

struct run_line {
  std::string host;
  std::string job;
  std::int64_t at_us = 0;
};

class postgres_hosts : public testing::Test {
 protected:
  void SetUp() override {
    if (sanitized) GTEST_SKIP() << "not under a sanitizer";
    if (!weft_test::may_make_networks()) {
      GTEST_SKIP() << "this process may not make network namespaces: that takes root, with its capabilities";
    }
    hosts_ = std::make_unique<network_hosts>(2);
    server_ = std::make_unique<weft_test::postgres_server>(
        weft_test::postgres_server::options{.network = hosts_->middle()});
    wire::key_ring(wire::key::generate("hosts")).save(keys_);
    queue_ = std::make_unique<queue>(
        server_->url(),
        queue_options{.keys = std::make_shared<const wire::key_ring>(wire::key_ring::load(keys_))});
  }

  std::unique_ptr<weft_test::server_process> start_host(int number) {
    const std::string url =
        "postgres://weft@" + network_hosts::middle_seen_from(number) + "/postgres?connect_timeout=5";
    auto host = std::make_unique<weft_test::server_process>(weft_test::server_process::options{
        .command = {WEFT_TEST_POSTGRES_HOST, url, keys_, book_, std::to_string(number)},
        .network = hosts_->other(number)});
    host->wait_for_output("works");
    return host;
  }
  std::vector<job_id> push(std::size_t count, std::int64_t milliseconds = 50) {
    auto ids = queue_->push_many(std::vector<closure<>>(count, step_of_host(milliseconds)));
    pushed_.insert(pushed_.end(), ids.begin(), ids.end());
    return ids;
  }
  std::vector<run_line> runs() const {
    std::vector<run_line> all;
    std::ifstream in(book_);
    for (run_line one; in >> one.host >> one.job >> one.at_us;) all.push_back(one);
    return all;
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
  std::int64_t done() {
    std::int64_t all = 0;
    for (const auto& one : queue_->kept_in().stats()) all += one.queue == "default" ? one.done : 0;
    return all;
  }
  /// Each job has run, and none once its end was recorded.
  void check_runs() {
    std::map<std::string, std::vector<run_line>> by_job;
    for (const auto& one : runs()) by_job[one.job].push_back(one);
    for (const job_id id : pushed_) {
      const auto info = queue_->show(id);
      ASSERT_TRUE(info);
      EXPECT_EQ(info->state, job_state::done);
      EXPECT_FALSE(by_job[to_string(id)].empty());
      for (const auto& one : by_job[to_string(id)]) {
        EXPECT_LE(one.at_us, info->finished.value().time_since_epoch().count())
            << "job " << to_string(id) << " on host " << one.host;
      }
    }
  }

  weft_test::scratch_folder folder_;
  const std::string keys_ = folder_ / "keys";
  const std::string book_ = folder_ / "book";
  std::unique_ptr<network_hosts> hosts_;
  std::unique_ptr<weft_test::postgres_server> server_;
  std::unique_ptr<queue> queue_;
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
  ASSERT_TRUE(comes_true([&] { return done() == 220; }));
  const std::size_t before = runs_of("1");
  hosts_->mend(1);
  ASSERT_TRUE(comes_true([&] { return queue_->kept_in().workers().size() == 2; }));
  push(100);
  ASSERT_TRUE(comes_true([&] { return done() == 320 && runs_of("1") > before; }));
  for (const char* const host : {"1", "2"}) queue_->push(end_host(), {.queue = host});
  first->wait_for_output("stale ");
  second->wait_for_output("stale ");
  EXPECT_EQ(first->output().find("stale 0\n"), std::string::npos) << "its results came too late";
  EXPECT_NE(second->output().find("stale 0\n"), std::string::npos);
  check_runs();
}

}  // namespace
}  // namespace weft::jobs
