#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/closure/services.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/wire/json.hpp>

#include "cli/run_weft.hpp"
#include "support/scratch_folder.hpp"

namespace weft_test {

/// A database and a key file for the commands that work on jobs.
class jobs_commands : public testing::Test {
 protected:
  jobs_commands() { weft::wire::key_ring(weft::wire::key::generate("k1")).save(keys_); }

  /// `weft GROUP NAME --db ... REST`.
  command_outcome command(const std::string& group, const std::string& name, std::vector<std::string> rest) {
    std::vector<std::string> all{group, name, "--db", url()};
    all.insert(all.end(), rest.begin(), rest.end());
    return run_weft(std::move(all));
  }
  command_outcome jobs(const std::string& name, std::vector<std::string> rest = {}) {
    return command("jobs", name, std::move(rest));
  }

  std::string url() const { return "sqlite:" + path_; }
  weft::jobs::queue& queue() {
    if (!queue_) {
      const auto keys = std::make_shared<const weft::wire::key_ring>(weft::wire::key_ring::load(keys_));
      queue_.emplace(url(), weft::jobs::queue_options{.name = "mail", .keys = keys});
    }
    return *queue_;
  }
  /// Runs what is due in the queue "mail".
  void run_due() {
    weft::services app;
    weft::run_options roomy;
    roomy.stack_bytes = 256 * 1024;  // the address sanitizer's frames are large
    weft::run([&] { weft::jobs::worker(queue(), app, {.pass_on_logs = false}).run_due(); }, roomy);
  }

  scratch_folder folder_;
  const std::string path_ = folder_ / "jobs.db";
  const std::string keys_ = folder_ / "keys";
  std::optional<weft::jobs::queue> queue_;
};

}  // namespace weft_test
