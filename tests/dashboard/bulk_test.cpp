#include "dashboard/bulk.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/simulate.hpp>

#include "jobs/memory_store.hpp"

namespace weft::dashboard {
namespace {

using namespace std::chrono_literals;

/// Changes that are asked for together take one commit, of a known time of the simulation; and it counts.
class slow_store final : public jobs::memory_store {
 public:
  explicit slow_store(std::chrono::milliseconds commit) : commit_(commit) {}

  bool cancel(jobs::job_id id, jobs::moment now) override {
    at_once = std::max(at_once, ++asking_);
    sleep_for(commit_);
    --asking_;
    return memory_store::cancel(id, now);
  }
  std::vector<jobs::stored_job> list(const jobs::list_filter& filter) override {
    auto read = memory_store::list(filter);
    rows += read.size();
    return read;
  }

  std::size_t rows = 0;     // that were read
  std::size_t at_once = 0;  // the most that asked at the same time

 private:
  const std::chrono::milliseconds commit_;
  std::size_t asking_ = 0;
};

constexpr jobs::moment pushed{std::chrono::hours(24 * 365 * 50)};
constexpr jobs::moment later = pushed + 1h;

/// Counted and confirmed is the cancellation of so many jobs.
class bulk_of_a_slow_store : public testing::Test {
 protected:
  void count(int jobs, bool is_scanned) {
    for (int i = 0; i < jobs; ++i) {
      const jobs::new_job one{.id = jobs::job_id{i + 1},
                              .queue = "mail",
                              .handler = "mail.send(int)",
                              .envelope = "e",
                              .created = pushed,
                              .run_at = pushed};
      store_.push({&one, 1});
    }
    jobs::search_filter filter{.state = jobs::job_state::ready};
    if (is_scanned) filter.closure = "mail";
    const auto counted = all_.count("me", jobs::job_change::cancel, filter, "", later, 10s);
    EXPECT_EQ(counted.jobs, jobs);
    token_ = counted.token;
    store_.rows = 0;
  }
  bulk_progress run(std::chrono::milliseconds within) {
    return all_.run("me", token_, later, within).value();
  }

  slow_store store_{12ms};
  bulk all_{store_};
  std::string token_;
};

TEST_F(bulk_of_a_slow_store, takes_more_at_once_while_there_is_time_for_it) {
  const auto report = simulate(1, [&] {
    count(400, false);
    const auto made = run(200ms);
    EXPECT_EQ(made.changed, 400) << "8, 16, 32, and then 64 in each 12 ms";
    EXPECT_TRUE(made.is_over);
  });
  EXPECT_EQ(store_.at_once, 64U);
  EXPECT_EQ(store_.rows, 400U);
  EXPECT_LT(report.time, 200ms);
}

TEST_F(bulk_of_a_slow_store, takes_few_at_once_where_these_take_most_of_the_time) {
  simulate(1, [&] {
    count(400, false);
    EXPECT_EQ(run(20ms).changed, 16);
    EXPECT_EQ(store_.at_once, 8U);
    EXPECT_EQ(store_.rows, 16U) << "and reads no more";
  });
}

TEST_F(bulk_of_a_slow_store, reads_each_job_once_where_the_filter_looks_at_all) {
  simulate(1, [&] {
    count(390, true);
    const auto made = run(10s);
    EXPECT_EQ(made.changed, 390);
    EXPECT_TRUE(made.is_over);
  });
  EXPECT_EQ(store_.rows, 390U);
}

TEST_F(bulk_of_a_slow_store, goes_on_behind_the_last_one_that_was_changed) {
  simulate(1, [&] {
    count(100, true);
    std::int64_t changed = 0;
    for (bool is_over = false; !is_over;) {
      const auto made = run(20ms);
      EXPECT_GE(made.changed, 4);
      EXPECT_EQ(made.left_count, 0) << "none is tried twice";
      changed += made.changed;
      is_over = made.is_over;
    }
    EXPECT_EQ(changed, 100);
  });
}

}  // namespace
}  // namespace weft::dashboard
