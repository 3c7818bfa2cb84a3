#pragma once

#include <cstdint>

// A file system for SQLite in this process that fails on purpose: the n-th call of a kind returns an
// error, or ends the process as kill -9 does. Otherwise it is the real one.

namespace weft::inline v1::jobs {

enum class fault : unsigned char {
  write_error,  ///< xWrite and xTruncate: SQLITE_IOERR_WRITE
  full,         ///< the same calls: SQLITE_FULL
  sync_error,   ///< xSync: SQLITE_IOERR_FSYNC
  busy,         ///< locks: SQLITE_BUSY
  death,        ///< writes, syncs and locks: the process is gone before the call
};

/// While it lives, connections that are opened use it. One at a time.
class faulty_vfs {
 public:
  faulty_vfs();
  faulty_vfs(const faulty_vfs&) = delete;
  faulty_vfs& operator=(const faulty_vfs&) = delete;
  ~faulty_vfs();

  /// The n-th call from now on fails so, 1 for the next.
  void arm(fault kind, std::int64_t nth) noexcept;
  /// Calls are counted only while it is not held.
  void hold(bool held) noexcept;
  /// Was the call met since arm()?
  bool has_struck() const noexcept;
};

}  // namespace weft::inline v1::jobs
