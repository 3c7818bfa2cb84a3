#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <weft/jobs/maintenance.hpp>
#include <weft/jobs/store.hpp>

#include "store_contract/postgres_database.hpp"
#include "support/postgres_link.hpp"

namespace weft::jobs {

/// A database of its own for a test, and stores on it as several processes would have them.
class postgres_stores : public testing::Test {
 protected:
  void SetUp() override {
    const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
    name_ = test->name();
    url_ = store_contract_support::make_postgres_database(name_);
  }
  void TearDown() override {
    stores_.clear();
    EXPECT_EQ(check_database(url_).problems, std::vector<std::string>{});
    store_contract_support::drop_postgres_database(name_);
  }

  store& open() { return *stores_.emplace_back(open_store(url_)); }

  static moment at(std::int64_t micros) { return moment(std::chrono::microseconds(micros)); }
  static new_job job(std::int64_t id) {
    new_job one;
    one.id = job_id{id};
    one.queue = "mail";
    one.handler = "mail.welcome";
    one.envelope = "envelope " + std::to_string(id);
    one.created = at(100);
    return one;
  }
  static void push(store& to, const new_job& one) { to.push({&one, 1}); }
  static void join(store& to, std::int64_t worker) {
    to.add_worker({.id = worker_id{worker}, .host = "h", .pid = worker, .build = "b"});
  }
  static std::vector<claimed_job> claim(store& from, std::int64_t worker, std::size_t count,
                                        std::int64_t now = 1000) {
    claim_request request;
    request.owner = worker_id{worker};
    request.queues = {"mail"};
    request.count = count;
    request.now = at(now);
    return from.claim(request).jobs;
  }
  static attempt_end end(const claimed_job& of, std::int64_t worker, next_step next = next_step::done,
                         std::int64_t now = 2000) {
    attempt_end ended;
    ended.id = of.id;
    ended.owner = worker_id{worker};
    ended.fence = of.fence;
    ended.next = next;
    ended.now = at(now);
    ended.run_at = at(now);
    ended.record.attempt = of.attempts + 1;
    ended.record.started = ended.record.ended = at(now);
    return ended;
  }
  /// Runs `work(0)`, `work(1)` ... each on a thread, and waits for all.
  template <typename Work>
  static void at_once(int count, Work work) {
    std::vector<std::thread> threads;
    for (int number = 0; number < count; ++number) threads.emplace_back([&work, number] { work(number); });
    for (auto& one : threads) one.join();
  }
  /// What one statement says, on a session of its own.
  std::int64_t number(const std::string& sql) {
    std::int64_t value = 0;
    weft_test::with_connection(url_, [&](auto& session) { value = session.run(sql).integer(0, 0); });
    return value;
  }

  std::string name_;
  std::string url_;
  std::vector<std::shared_ptr<store>> stores_;
};

}  // namespace weft::jobs
