#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include <weft/core/started_thread.hpp>

namespace weft::inline v1::jobs::sqlite {

/// Tells the other processes that use a database that something happened in it: a counter in a file beside
/// it, `<database>.weft-bell`, which all of them map and sleep on. As with the `-shm` file of SQLite, who
/// cuts the file short ends those who use it.
///
/// Where there can be no such file, on a full disk or a file system without shared maps, nobody hears
/// anything, and whoever wants to know must look from time to time.
class process_bell {
 public:
  explicit process_bell(const std::string& database_path);
  process_bell(const process_bell&) = delete;
  process_bell& operator=(const process_bell&) = delete;
  /// Stops listening.
  ~process_bell();

  /// Calls `heard` on a thread of its own after each ring from now on, also after those of this process; some
  /// that follow one another may be one call. Once. False: there is no file, or this is a simulation, which
  /// has no other processes.
  bool listen(std::function<void()> heard);
  /// Wakes those who listen. Costs nothing but an addition where no other process does.
  void ring() noexcept;

 private:
  struct page {
    std::atomic<std::uint32_t> rung;
    std::atomic<std::uint32_t> listening;  ///< processes; those that were killed still count
  };
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

  void sleep_and_tell(std::uint32_t seen, const std::function<void()>& heard) const;
  void wake_all() const noexcept;

  page* page_ = nullptr;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> listens_{false};
  weft::detail::started_thread listener_;
};

}  // namespace weft::inline v1::jobs::sqlite
