#include <weft/jobs/change.hpp>

#include <array>

#include <weft/core/error.hpp>
#include <weft/log/escape.hpp>

namespace weft::inline v1::jobs {

namespace {

constexpr std::array<job_state, 1> dead_ones{job_state::dead};
constexpr std::array<job_state, 4> living{job_state::scheduled, job_state::ready, job_state::blocked,
                                          job_state::running};

constexpr std::array<job_state, 3> purgeable{job_state::done, job_state::dead, job_state::cancelled};

bool is_changed(store& in, job_change what, job_id id, moment now, std::optional<job_state> seen) {
  switch (what) {
    case job_change::retry:
      return in.retry(id, now);
    case job_change::cancel:
      return in.cancel(id, now);
    case job_change::remove:
      return in.remove(id, seen, now);
  }
  throw error(errc::invalid_argument, "jobs: change a job: the change is unknown");
}

std::string_view rule_of(job_change what) {
  switch (what) {
    case job_change::retry:
      return ": only dead, cancelled and quarantined jobs are retried";
    case job_change::cancel:
      return ": it has ended already";
    case job_change::remove:
      break;
  }
  return ": cancel it, and delete it once it has ended";
}

}  // namespace

std::span<const job_state> usual_states(job_change what) noexcept {
  if (what == job_change::retry) return dead_ones;
  if (what == job_change::remove) return purgeable;
  return living;
}

std::string change_job(store& in, job_change what, job_id id, moment now, std::optional<job_state> seen) {
  try {
    if (is_changed(in, what, id, now, seen)) return {};
  } catch (const error& refused) {
    if (refused.code() != errc::already_exists && refused.code() != errc::refused) throw;
    return log::to_utf8(refused.message());
  }
  const auto found = in.find(id);
  if (!found) return "there is no such job";
  const std::string is = "it is " + std::string(to_string(found->state));
  if (what == job_change::remove && found->state != job_state::running) return is + " by now";
  return is + std::string(rule_of(what));
}

}  // namespace weft::inline v1::jobs
