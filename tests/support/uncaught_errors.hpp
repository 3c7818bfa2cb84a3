#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <weft/executor/executor.hpp>

/// What the uncaught handler of the process is told while it lives.
class uncaught_errors {
 public:
  struct entry {
    std::string text;
    std::string executor;
    std::string task;
    int mark;
  };

  /// `mark` is called in the handler, for what it sees there.
  explicit uncaught_errors(std::function<int()> mark) {
    weft::set_uncaught_handler([this, mark = std::move(mark)](const weft::failed_task& what) {
      entry one{{}, std::string(what.executor), std::string(what.name), mark()};
      try {
        std::rethrow_exception(what.error);
      } catch (const std::exception& thrown) {
        one.text = thrown.what();
      } catch (...) {
        one.text = "?";
      }
      const std::lock_guard lock(mutex_);
      entries_.push_back(std::move(one));
      came_.notify_all();
    });
  }
  uncaught_errors(const uncaught_errors&) = delete;
  uncaught_errors& operator=(const uncaught_errors&) = delete;
  ~uncaught_errors() { weft::set_uncaught_handler({}); }

  /// What it was told so far.
  std::vector<entry> all() const {
    const std::lock_guard lock(mutex_);
    return entries_;
  }

  /// The same when there are `count`: who drops the last end of a future may be another thread.
  std::vector<entry> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    came_.wait(lock, [&] { return entries_.size() >= count; });
    return entries_;
  }

 private:
  std::condition_variable came_;
  mutable std::mutex mutex_;
  std::vector<entry> entries_;  // guarded by mutex_
};
