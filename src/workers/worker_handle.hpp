#pragma once

#include <memory>
#include <optional>
#include <string>

#include <sys/types.h>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/process/child.hpp>
#include <weft/process/exit_status.hpp>
#include <weft/workers/errors.hpp>

#include "workers/captured_output.hpp"
#include "workers/monitor.hpp"

namespace weft::inline v1::workers::detail {

/// A worker process as its client sees it. One task at a time.
class worker_handle {
 public:
  virtual ~worker_handle();
  /// -1 while it is not known.
  virtual pid_t pid() = 0;
  /// How it ended; nothing if it still runs at `until`. Waits are cancellation points.
  virtual std::optional<process::exit_status> wait_until(steady_time until) = 0;
  /// False when it has ended or may not be signalled.
  virtual bool kill(int signal) = 0;
  /// After its end: the last lines it wrote to its standard error; empty where nobody kept them.
  virtual std::string last_words() const { return {}; }
  /// After its end: why, where somebody could tell.
  virtual death_cause cause() const { return death_cause::unknown; }
};

/// A child of a fork server, seen through a monitor.
class monitored_worker final : public worker_handle {
 public:
  explicit monitored_worker(unique_fd monitor);
  pid_t pid() override;
  std::optional<process::exit_status> wait_until(steady_time until) override;
  bool kill(int signal) override;
  std::string last_words() const override { return last_words_; }
  death_cause cause() const override { return cause_; }
  /// Why the server could not fork; 0 if it did, or has not said yet.
  int fork_error();

 private:
  bool take_message();
  void take_all();

  unique_fd monitor_;  // non-blocking
  unique_fd pidfd_;
  pid_t pid_ = -1;
  int fork_error_ = 0;
  std::optional<process::exit_status> status_;
  death_cause cause_ = death_cause::unknown;
  std::string last_words_;
};

/// A child of this process.
class spawned_worker final : public worker_handle {
 public:
  explicit spawned_worker(process::child child) : child_(std::move(child)) {}
  pid_t pid() override { return child_.pid(); }
  std::optional<process::exit_status> wait_until(steady_time until) override {
    return child_.wait_until(until);
  }
  bool kill(int signal) override { return child_.kill(signal); }

 private:
  process::child child_;
};

}  // namespace weft::inline v1::workers::detail
