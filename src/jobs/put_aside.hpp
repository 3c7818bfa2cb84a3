#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include <weft/jobs/store.hpp>

namespace weft::inline v1::jobs {

/// Schedules that one worker cannot fire for a reason of its own, each until a moment. One that was given
/// anew meanwhile is another one. Not thread-safe.
class put_aside {
 public:
  void add(const stored_schedule& row, moment until) { rows_[row.name] = {row.envelope, until}; }

  bool holds(const stored_schedule& row) const {
    const auto found = rows_.find(row.name);
    return found != rows_.end() && found->second.envelope == row.envelope;
  }

  /// Forgets those whose moment has come; returns the first moment of the others.
  std::optional<moment> look(moment now) {
    std::erase_if(rows_, [&](const auto& one) { return one.second.until <= now; });
    std::optional<moment> first;
    for (const auto& [name, one] : rows_) first = std::min(first.value_or(one.until), one.until);
    return first;
  }

 private:
  struct entry {
    std::string envelope;
    moment until;
  };
  std::map<std::string, entry> rows_;
};

}  // namespace weft::inline v1::jobs
