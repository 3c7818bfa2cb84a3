#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace weft::inline v1::jobs {

namespace detail {
class zone_rules;
}

/// The civil time of a place, by the rules of the IANA database that this system has (Debian: tzdata).
///
/// The rules of a zone are read from its file when it is named first, and kept as long as the process lives:
/// a newer database counts after a restart. Nothing is asked over a network. `TZDIR` names another folder.
///
/// Thread-safety: a value; const members from any thread. Cost: making one takes a lock, and reads the file
/// the first time; the rest is a search in memory.
class time_zone {
 public:
  /// UTC.
  time_zone();
  /// A name of the database: "Europe/Berlin", "UTC". Throws weft::error: invalid_argument where it is no
  /// name, not_found where the database does not have it.
  explicit time_zone(std::string_view name);

  const std::string& name() const noexcept;

  /// A stretch of time in which clocks are not changed.
  struct period {
    std::chrono::seconds offset{0};  ///< what clocks are ahead of UTC
    std::chrono::sys_seconds until =
        std::chrono::sys_seconds::max();  ///< they are changed then; max(): never
  };
  /// The one that `at` lies in; it may have begun earlier.
  period period_at(std::chrono::sys_seconds at) const;

  /// What clocks show.
  std::chrono::local_seconds local(std::chrono::sys_seconds at) const;
  /// When clocks show that; where they do so twice, the first time; where they are put forward over it, the
  /// moment at which they are.
  std::chrono::sys_seconds first_moment_of(std::chrono::local_seconds shown) const;

  friend bool operator==(const time_zone& one, const time_zone& other) noexcept {
    return one.name() == other.name();
  }

 private:
  std::shared_ptr<const detail::zone_rules> rules_;  // never null
};

}  // namespace weft::inline v1::jobs
