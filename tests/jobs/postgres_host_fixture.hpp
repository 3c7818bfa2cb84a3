#pragma once

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/jobs/queue.hpp>

#include "jobs/postgres_host_jobs.hpp"
#include "support/postgres_server.hpp"
#include "support/scratch_folder.hpp"
#include "support/shared_board.hpp"

namespace weft::jobs {

/// A process with a worker, which takes itself for a host of its own. Killed, where it still is, with the
/// object.
class worker_host {
 public:
  /// `clock_ahead`: what its clock shows is wrong by so much.
  worker_host(const std::string& name, const std::string& url, const std::string& keys,
              const std::string& book, const std::string& network = {},
              std::chrono::seconds clock_ahead = std::chrono::seconds(0))
      : process_(
            {.command = {WEFT_TEST_POSTGRES_HOST, url, keys, book, name, std::to_string(clock_ahead.count())},
             .stop_signal = SIGKILL,
             .network = network}) {
    process_.wait_for_output("process ");
    process_.wait_for_output("works");
    const std::string said = process_.output();
    worker_ = std::atoi(said.c_str() + said.find("process ") + std::string("process ").size());
  }

  void stop() { ::kill(worker_, SIGSTOP); }
  void go_on() { ::kill(worker_, SIGCONT); }
  /// What it has said so far.
  std::string output() { return process_.output(); }
  /// Waits until end_host() has ended it. Were there results of it that came too late?
  bool had_late_results() {
    process_.wait_for_output("stale ");
    return process_.output().find("stale 0\n") == std::string::npos;
  }

 private:
  weft_test::server_process process_;
  pid_t worker_ = -1;
};

struct run_line {
  std::string host;
  std::string job;
  std::int64_t at_us = 0;
};

/// A database, and processes with workers on it.
class postgres_host_fixture : public testing::Test {
 protected:
  void start_server(const std::string& network = {}) {
    server_ =
        std::make_unique<weft_test::postgres_server>(weft_test::postgres_server::options{.network = network});
    wire::key_ring(wire::key::generate("hosts")).save(keys_);
    queue_ = open(server_->url());
  }
  std::unique_ptr<queue> open(const std::string& url) const {
    return std::make_unique<queue>(
        url, queue_options{.keys = std::make_shared<const wire::key_ring>(wire::key_ring::load(keys_)),
                           .max_attempts = 2,
                           .store = {.busy_timeout = std::chrono::seconds(60)}});
  }

  static std::vector<run_line> read(const std::string& path) {
    std::vector<run_line> all;
    std::ifstream in(path);
    for (run_line one; in >> one.host >> one.job >> one.at_us;) all.push_back(one);
    return all;
  }
  std::vector<run_line> runs() const { return read(book_); }
  /// Who asked to be stopped.
  std::vector<run_line> stops() const { return read(book_ + ".stops"); }

  /// Of the queue that all hosts serve.
  state_counts counts() {
    for (const auto& one : queue_->kept_in().stats()) {
      if (one.queue == "default") return one;
    }
    return {};
  }
  /// Each of those has run, and none has begun once its end was recorded. Hosts know the server's clock,
  /// whose moments ends are, to less than this.
  static constexpr std::chrono::milliseconds known_to{100};
  void check_runs(const std::map<job_id, moment>& ends) const {
    std::set<std::string> begun;
    for (const auto& one : runs()) {
      begun.insert(one.job);
      const auto end = ends.find(job_id_from_string(one.job).value());
      if (end == ends.end()) continue;
      EXPECT_LE(one.at_us, (end->second + known_to).time_since_epoch().count())
          << "job " << one.job << " on host " << one.host;
    }
    for (const auto& [id, end] : ends) EXPECT_TRUE(begun.contains(to_string(id))) << to_string(id);
  }

  weft_test::scratch_folder folder_;
  const std::string keys_ = folder_ / "keys";
  const std::string book_ = folder_ / "book";
  std::unique_ptr<weft_test::postgres_server> server_;
  std::unique_ptr<queue> queue_;
};

}  // namespace weft::jobs
