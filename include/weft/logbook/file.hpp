#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include <weft/core/unique_fd.hpp>
#include <weft/log/record.hpp>

namespace weft::inline v1::logbook {

/// Appends logs to a file, one JSON object on a line each; `weft log view` shows them.
///
/// Each line is written at once, so several files of one path, also in several processes, do not mix their
/// lines. Writing waits for the file system. Any thread.
class file {
 public:
  /// Opens `path`, or makes it for its owner and group to read. Throws weft::error (not_found, refused,
  /// io_error).
  explicit file(const std::string& path);

  /// Never throws: what cannot be written is counted.
  void write(const log::collection& one) noexcept;
  /// Logs that were not written.
  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 private:
  bool append(const std::string& line) noexcept;

  unique_fd fd_;
  std::atomic<std::uint64_t> dropped_ = 0;
};

}  // namespace weft::inline v1::logbook
