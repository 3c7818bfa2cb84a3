#include "jobs/kept_attempt.hpp"

#include <weft/codec/failure.hpp>
#include <weft/wire/binary.hpp>

namespace weft::inline v1::jobs {
namespace {

template <typename Value>
std::string to_store(const Value& value) {
  return std::string(as_text(wire::to_binary(value)));
}

}  // namespace

std::string log_to_store(const log::collection& gathered) {
  if (gathered.records.empty() && gathered.timers.empty() && gathered.data.empty() && gathered.dropped == 0)
    return {};
  try {
    return to_store(gathered);
  } catch (const error& bad) {
    log::collection instead;
    instead.records.emplace_back().message =
        std::string("jobs: the log of this attempt cannot be kept: ") + bad.what();
    return to_store(instead);
  }
}

std::string error_to_store(const failure& what) {
  try {
    return to_store(what);
  } catch (const error& bad) {
    failure instead;
    instead.code = what.code;
    instead.message = std::string("the error cannot be kept: ") + bad.what();
    return to_store(instead);
  }
}

stored_attempt expired_attempt(job_id id, int attempt, moment now) {
  failure why;
  why.code = errc::timed_out;
  why.message = "jobs: start job " + to_string(id) + ": it has expired";
  why.when = now;
  stored_attempt expired{.attempt = attempt, .outcome = attempt_outcome::refused};
  expired.started = expired.ended = now;
  expired.error = error_to_store(why);
  return expired;
}

attempt_info read_attempt(const stored_attempt& kept) {
  attempt_info info{kept.attempt, kept.fence, kept.owner, kept.outcome, kept.started, kept.ended, {}, {}};
  try {
    if (!kept.error.empty()) info.error = wire::from_binary<failure>(as_bytes(kept.error));
    if (!kept.records.empty()) info.log = wire::from_binary<log::collection>(as_bytes(kept.records));
  } catch (const error& bad) {
    info.log.records.emplace_back().message =
        std::string("jobs: what was kept of this attempt cannot be read: ") + bad.what();
  }
  return info;
}

}  // namespace weft::inline v1::jobs
