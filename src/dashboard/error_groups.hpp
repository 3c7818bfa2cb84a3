#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/failure.hpp>
#include <weft/jobs/store.hpp>

namespace weft::inline v1::dashboard {

/// What jobs that failed in the same way have in common; each text is cut at error_key_bytes_max.
struct error_key {
  std::string closure;  ///< its identity without parameters
  std::string type;     ///< of the error
  std::string message;  ///< without_numbers()
  auto operator<=>(const error_key&) const = default;
};
inline constexpr std::size_t error_key_bytes_max = 500;
error_key error_key_of(const jobs::stored_job& job, const failure& error);
/// For an address: letters and digits, whatever bytes are in it.
std::string to_text(const error_key& key);
/// Nothing: that is none.
std::optional<error_key> error_key_from(std::string_view text);
/// Has the job failed so? Waits for the store, if the closure is that one.
bool has_failed_so(jobs::store& in, const jobs::stored_job& job, const error_key& how);

/// Jobs of one closure that failed in the same way.
struct error_group {
  std::string key;  ///< to_text() of what they have in common
  std::string closure;
  std::string type;
  std::string message;  ///< of the newest
  std::int64_t dead = 0;
  std::int64_t quarantined = 0;
  std::int64_t retrying = 0;  ///< wait for their next attempt
  std::string newest;         ///< id of a job
  std::string first;          ///< when the oldest of these jobs was pushed
  std::string last;           ///< and the newest
};
WEFT_DESCRIBE(error_group, key, closure, type, message, dead, quarantined, retrying, newest, first, last);

struct error_groups {
  std::vector<error_group> groups;  ///< the largest first
  std::int64_t looked_at = 0;       ///< jobs
  bool has_more = false;            ///< there are older ones that were not looked at
};
WEFT_DESCRIBE(error_groups, groups, looked_at, has_more);

/// Groups the newest jobs that failed: as many as can be looked at until then. Waits for the store.
error_groups group_errors(jobs::store& of, steady_time until);

/// A message without what differs from job to job: each number and long hexadecimal word is a '#'.
std::string without_numbers(std::string_view message);

}  // namespace weft::inline v1::dashboard
