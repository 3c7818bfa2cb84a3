#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <weft/context/wait.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/core/started_thread.hpp>
#include <weft/log/sink.hpp>

namespace weft::inline v1::log {

/// The queue and the thread of a line_sink.
///
/// Threads that log push under mutex_, which is never held while anything is formatted or written.
/// The thread takes the whole queue at once and writes it under output_. A flush notes how many
/// records were accepted and waits, in flushers_, until as many are finished: written or given up.
/// finished_ only grows under flush_lock_, so a flush cannot miss it.
class line_sink::writer {
 public:
  writer(const line_sink_options& options, line_formatter format);

  void accept(const std::shared_ptr<const record>& one);
  bool flush(std::chrono::milliseconds bound);
  /// Ends the thread once the queue is empty. False if it did not end within `bound`, or goes on
  /// because another record came.
  bool stop(std::chrono::milliseconds bound);

  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }
  level threshold() const noexcept { return options_.level; }
  /// Made before a fork: its thread is not in this process.
  bool is_inherited() const noexcept;
  void count_dropped(std::uint64_t records = 1) noexcept;
  /// Has before_lines called.
  void nudge();

  writer* next_abandoned = nullptr;

 private:
  using batch = std::vector<std::shared_ptr<const record>>;
  /// What is written at once.
  struct lines {
    std::string bytes;
    std::vector<std::size_t> record_ends;  // in bytes
  };
  struct flusher {
    std::uint64_t target;
    weft::detail::waiter waiter;
  };

  bool ensure_thread();
  void run();
  void write_queued(std::unique_lock<std::mutex>& lock);
  void write_batch(const batch& records);
  void format_one(const record& one, std::string& out);
  template <typename Append>
  void format_with(Append append, std::string& out);
  void tell_dropped(std::string& out);
  void write_out(const lines& made);
  /// Ends the line that a full disk has cut, if there is one; false where that still cannot be done.
  bool ended_cut_line();
  /// How many bytes were taken before an error.
  std::size_t write_while_room(std::string_view bytes) const;
  void finish(std::uint64_t records);

  const line_sink_options options_;
  const line_formatter format_;
  const std::uint64_t generation_;

  std::mutex mutex_;
  std::condition_variable wake_;         // the queue has something, or stop_
  std::condition_variable ended_;        // running_ or stop_ became false
  batch queue_;                          // guarded by mutex_
  std::uint64_t accepted_ = 0;           // guarded by mutex_
  bool running_ = false;                 // guarded by mutex_
  bool stop_ = false;                    // guarded by mutex_
  bool nudged_ = false;                  // guarded by mutex_
  weft::detail::started_thread thread_;  // guarded by mutex_

  std::mutex output_;  // one writes at a time; guards dropped_told_ and is_cut_
  std::uint64_t dropped_told_ = 0;
  bool is_cut_ = false;  // what was written last is a part of a line
  std::atomic<std::uint64_t> dropped_{0};

  weft::detail::spin_lock flush_lock_;
  std::uint64_t finished_ = 0;          // guarded by flush_lock_
  weft::detail::waiter_line flushers_;  // guarded by flush_lock_
};

}  // namespace weft::inline v1::log
