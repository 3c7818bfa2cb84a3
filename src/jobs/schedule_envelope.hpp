#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <weft/jobs/schedule.hpp>
#include <weft/jobs/store.hpp>
#include <weft/wire/key_ring.hpp>

namespace weft::inline v1::jobs {

/// What is signed with a schedule; docs/formats/job.md.
struct schedule_envelope {
  std::string name;
  std::string tenant;  ///< queue_options::tenant
  std::string queue;
  std::string cron;
  std::string zone;
  catch_up policy = catch_up::one;
  catch_up_bounds bounds;
  std::string closure;    ///< identity, with the schema of the arguments
  std::string arguments;  ///< a JSON list
  std::string source;     ///< where the closure was written; for people
  int priority = 0;
  int attempts_max = 1;
  std::chrono::microseconds timeout{0};
  std::vector<std::string> tags;
};

/// A schedule as it is stored: all of it signed with the ring's first key.
std::string seal(const wire::key_ring& keys, const schedule_envelope& schedule);

/// The schedule of a row, once its signature was found right, and that it was made for this row and tenant.
/// Throws weft::error: what wire::verify throws, bad_signature, malformed.
schedule_envelope open_schedule(const wire::key_ring& keys, const stored_schedule& row,
                                std::string_view tenant);

}  // namespace weft::inline v1::jobs
