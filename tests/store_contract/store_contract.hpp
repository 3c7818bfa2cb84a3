#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/jobs/store.hpp>

// What every store must do. A store joins by instantiating the suite with a way to open itself:
//     INSTANTIATE_TEST_SUITE_P(memory, store_contract, testing::Values(store_under_test{...}));

namespace weft::jobs {

struct store_under_test {
  std::string name;
  std::function<std::shared_ptr<store>(const std::string& folder)> open;  ///< `folder` is empty and its own
  /// What is wrong with what it has left there, once it is closed.
  std::function<std::vector<std::string>(const std::string& folder)> problems = [](const std::string&) {
    return std::vector<std::string>{};
  };
  unsigned random_runs = 12;  ///< how many random_steps
};

/// By its name, and not by its bytes, which ctest would show.
inline void PrintTo(const store_under_test& one, std::ostream* out) { *out << one.name; }

class store_contract : public testing::TestWithParam<store_under_test> {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// A job with that number, ready at `run_at` microseconds.
  static new_job job(std::int64_t id, std::int64_t run_at = 0, const std::string& queue = "mail");
  /// The same with one key for all.
  static new_job unique_job(std::int64_t id, unique_until until = unique_until::ended,
                            std::int64_t at_least = 0);
  void push(const new_job& one);
  job_id push_one(const new_job& one);
  /// Adds the worker, unless it is there.
  void join(worker_id owner = worker_id{1});
  /// Claims from the queue "mail", for a worker that joins if it has to.
  claim_result claim(std::size_t count = 1, std::int64_t now = 1000, worker_id owner = worker_id{1});
  /// The jobs of different limits take turns in no order that matters.
  static claim_result by_id(claim_result claimed);
  /// Claims exactly one job.
  claimed_job claim_one(std::int64_t now = 1000, worker_id owner = worker_id{1});
  static attempt_end end(const claimed_job& of, next_step next, std::int64_t now = 2000);
  job_state state_of(job_id id);
  /// Takes the worker for dead.
  std::optional<std::size_t> lose(worker_id owner, std::int64_t now, int crashes_max);

  std::string folder_;
  std::shared_ptr<store> store_;
};

}  // namespace weft::jobs
