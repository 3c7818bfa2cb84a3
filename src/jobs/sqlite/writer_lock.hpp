#pragma once

#include <chrono>
#include <string>

namespace weft::inline v1::jobs::sqlite {

/// One writer at a time per database, in all processes: a lock file beside it, `<database>.weft-lock`,
/// held around each write transaction and each checkpoint. SQLite before 3.51.3 may otherwise lose a
/// commit when a checkpoint and a writer that restarts the log meet.
///
/// Two bytes of the file are locked (open file description locks, which end with their holder).
/// Byte 0 is the turnstile: a writer takes it, waits for byte 1, the writer's place, and then gives the
/// turnstile back. So a process that writes again and again stands in line behind one that waits.
///
/// One thread per object; each object has a descriptor of its own.
class writer_lock {
 public:
  explicit writer_lock(std::string database_path);
  writer_lock(const writer_lock&) = delete;
  writer_lock& operator=(const writer_lock&) = delete;
  ~writer_lock();

  /// Waits at most `bound`, then throws weft::error (busy) that names the lock file.
  void lock(std::chrono::milliseconds bound);
  void unlock() noexcept;

  /// Holds the lock for a block.
  class [[nodiscard]] guard {
   public:
    guard(writer_lock& lock, std::chrono::milliseconds bound) : lock_(lock) { lock_.lock(bound); }
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;
    ~guard() { lock_.unlock(); }

   private:
    writer_lock& lock_;
  };

 private:
  bool try_byte(long offset, int type) const;
  void wait_for_byte(long offset, std::chrono::steady_clock::time_point until) const;

  std::string path_;
  int fd_ = -1;
};

}  // namespace weft::inline v1::jobs::sqlite
