#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/core/clock.hpp>
#include <weft/jobs/store.hpp>

namespace weft::inline v1::dashboard {

/// Jobs of one closure that failed in the same way.
struct error_group {
  std::string closure;
  std::string type;
  std::string message;  ///< of the newest
  std::string part;     ///< of each message, for a search: the longest run without numbers
  std::int64_t dead = 0;
  std::int64_t quarantined = 0;
  std::int64_t retrying = 0;  ///< wait for their next attempt
  std::string newest;         ///< id of a job
  std::string first;          ///< when the oldest of these jobs was pushed
  std::string last;           ///< and the newest
};
WEFT_DESCRIBE(error_group, closure, type, message, part, dead, quarantined, retrying, newest, first, last);

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
/// The longest part of a message that without_numbers leaves as it is; at most 80 bytes.
std::string steady_part(std::string_view message);

}  // namespace weft::inline v1::dashboard
