#include "jobs/schedule_envelope.hpp"

#include <cstdint>

#include <weft/wire/canonical.hpp>
#include <weft/wire/envelope.hpp>

namespace weft::inline v1::jobs {
namespace {

constexpr std::string_view schedule_purpose = "schedule";
constexpr std::uint64_t schedule_version = 1;

catch_up read_policy(wire::canonical_reader& in) {
  const std::uint64_t value = in.unsigned_integer();
  if (value > static_cast<std::uint64_t>(catch_up::all)) {
    throw error(errc::malformed,
                "jobs: read a schedule: the policy " + std::to_string(value) + " is unknown");
  }
  return static_cast<catch_up>(value);
}

}  // namespace

std::string seal(const wire::key_ring& keys, const schedule_envelope& schedule) {
  wire::canonical_writer out;
  out.unsigned_integer(schedule_version);
  out.text(schedule.name);
  out.text(schedule.tenant);
  out.text(schedule.queue);
  out.text(schedule.cron);
  out.text(schedule.zone);
  out.unsigned_integer(static_cast<std::uint64_t>(schedule.policy));
  out.integer(schedule.bounds.late_max.count());
  out.integer(schedule.bounds.age_max.count());
  out.unsigned_integer(schedule.bounds.fires_max);
  out.text(schedule.closure);
  out.binary(as_bytes(schedule.arguments));
  out.text(schedule.source);
  out.integer(schedule.priority);
  out.integer(schedule.attempts_max);
  out.integer(schedule.timeout.count());
  out.unsigned_integer(schedule.tags.size());
  for (const auto& tag : schedule.tags) out.text(tag);
  const bytes sealed = wire::sign(keys, schedule_purpose, out);
  if (sealed.size() > wire::envelope_bytes_max) {
    throw error(errc::too_large, "jobs: schedule \"" + schedule.name + "\": it has " +
                                     std::to_string(sealed.size()) + " bytes, " +
                                     std::to_string(wire::envelope_bytes_max) + " are the limit");
  }
  return std::string(as_text(sealed));
}

schedule_envelope open_schedule(const wire::key_ring& keys, const stored_schedule& row,
                                std::string_view tenant) {
  const bytes body = wire::verify(keys, schedule_purpose, as_bytes(row.envelope));
  wire::canonical_reader in(body);
  const std::uint64_t found = in.unsigned_integer();
  if (found != schedule_version) {
    throw error(errc::unsupported, "jobs: read a schedule: its form has version " + std::to_string(found) +
                                       ", this build knows " + std::to_string(schedule_version));
  }
  schedule_envelope schedule;
  schedule.name = in.text();
  schedule.tenant = in.text();
  schedule.queue = in.text();
  schedule.cron = in.text();
  schedule.zone = in.text();
  schedule.policy = read_policy(in);
  schedule.bounds.late_max = std::chrono::microseconds(in.integer());
  schedule.bounds.age_max = std::chrono::microseconds(in.integer());
  schedule.bounds.fires_max = in.unsigned_integer();
  schedule.closure = in.text();
  schedule.arguments = as_text(in.binary());
  schedule.source = in.text();
  schedule.priority = static_cast<int>(in.integer());
  schedule.attempts_max = static_cast<int>(in.integer());
  schedule.timeout = std::chrono::microseconds(in.integer());
  for (std::uint64_t left = in.unsigned_integer(); left > 0; --left) schedule.tags.emplace_back(in.text());
  in.expect_end();
  if (schedule.name != row.name || schedule.queue != row.queue) {
    throw error(errc::bad_signature, "jobs: verify the schedule \"" + row.name + "\" of queue \"" +
                                         row.queue + "\": its signature is that of \"" + schedule.name +
                                         "\" of queue \"" + schedule.queue +
                                         "\"; the row was copied or changed");
  }
  if (schedule.tenant != tenant) {
    throw error(errc::unsupported, "jobs: verify the schedule \"" + row.name +
                                       "\": it was signed for the tenant \"" + schedule.tenant +
                                       "\", and this queue is of \"" + std::string(tenant) + '"');
  }
  return schedule;
}

}  // namespace weft::inline v1::jobs
