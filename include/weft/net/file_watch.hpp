#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/io_handle.hpp>

namespace weft::inline v1::files {

/// What became of something that is watched.
enum class change_kind : unsigned char {
  created,
  removed,
  written,     ///< a file that was open for writing was closed
  attributes,  ///< permissions, owner or times
  moved_from,  ///< a name has gone by a rename; where the new one is watched, moved_to of the same `pair`
               ///< follows
  moved_to,    ///< a name has come, or was replaced, by a rename
  gone,        ///< what was watched itself was removed, renamed or unmounted; it is watched no longer
  overflow,    ///< the system has dropped changes: look at everything anew
};

struct change {
  change_kind kind = change_kind::overflow;
  std::string watched;     ///< the path as it was given to add(); empty for overflow
  std::string name;        ///< in the folder `watched`; empty where it is `watched` itself
  std::uint32_t pair = 0;  ///< for moved_from and moved_to
};

/// Tells of changes in folders and files (inotify), as events of the loop: waiting holds no thread.
///
/// A folder is watched with the names in it, not with those in its folders. Several changes of one kind may
/// be told as one. The system keeps a bounded number of untold changes (fs.inotify.max_queued_events); beyond
/// it comes an overflow.
///
///     weft::files::watch config;
///     config.add("/etc/app");
///     while (true) reload_for(config.next());
///
/// Thread-safety: none; used by one task at a time of the run that it was made in. Cancellation of a wait
/// loses nothing.
class watch {
 public:
  /// Throws weft::error (resource_exhausted) where the user has too many.
  watch();

  /// Watches from now on. Looks the path up on the pool (see files). Throws weft::error: not_found,
  /// refused, storage_full (the user watches too much: fs.inotify.max_user_watches).
  void add(std::string path);
  /// No more changes of that path are told. False where it is not watched.
  bool remove(std::string_view path);

  /// Waits for the next change.
  change next() { return *next_until(no_deadline); }
  /// Nothing when `until` passed first.
  std::optional<change> next_until(steady_time until);
  template <typename Rep, typename Period>
  std::optional<change> next_for(std::chrono::duration<Rep, Period> bound) {
    return next_until(deadline_after(bound));
  }

 private:
  bool read_changes();
  void take(int number, std::uint32_t mask, std::uint32_t cookie, std::string_view name);

  std::shared_ptr<unique_fd> fd_;  // shared with an add() that was given up
  io_handle io_;                   // registered while fd_ is open
  std::map<int, std::string> paths_;
  std::deque<change> told_;
};

}  // namespace weft::inline v1::files
