#include <weft/jobs/change.hpp>

#include <array>

#include <weft/core/error.hpp>
#include <weft/log/escape.hpp>

namespace weft::inline v1::jobs {

namespace {

constexpr std::array<job_state, 1> dead_ones{job_state::dead};
constexpr std::array<job_state, 4> living{job_state::scheduled, job_state::ready, job_state::blocked,
                                          job_state::running};

bool is_changed(store& in, job_change what, job_id id, moment now) {
  return what == job_change::retry ? in.retry(id, now) : in.cancel(id, now);
}

}  // namespace

std::span<const job_state> usual_states(job_change what) noexcept {
  if (what == job_change::retry) return dead_ones;
  return living;
}

std::string change_job(store& in, job_change what, job_id id, moment now) {
  try {
    if (is_changed(in, what, id, now)) return {};
  } catch (const error& refused) {
    if (refused.code() != errc::already_exists && refused.code() != errc::refused) throw;
    return log::to_utf8(refused.message());
  }
  const auto found = in.find(id);
  if (!found) return "there is no such job";
  return "it is " + std::string(to_string(found->state)) +
         (what == job_change::retry ? ": only dead, cancelled and quarantined jobs are retried"
                                    : ": it has ended already");
}

}  // namespace weft::inline v1::jobs
