#include <weft/testing/drain_report.hpp>

#include <algorithm>

#include <weft/jobs/job_info.hpp>
#include <weft/testing/test_failure.hpp>

namespace weft::inline v1::jobs {
namespace {

using outcome = attempt_outcome;

/// The store keeps it as one that was refused.
bool has_expired(const ran_attempt& one) {
  return one.outcome == outcome::refused && one.error && one.error->code == errc::timed_out;
}

template <typename Predicate>
std::size_t count(const drain_report& of, const Predicate& which) {
  return static_cast<std::size_t>(std::count_if(of.attempts.begin(), of.attempts.end(), which));
}

std::size_t count(const drain_report& of, outcome wanted) {
  return count(of, [&](const ran_attempt& one) { return one.outcome == wanted; });
}

bool went_wrong(const ran_attempt& one) {
  return one.outcome != outcome::done && one.outcome != outcome::delayed;
}

std::string line_of(const ran_attempt& one) {
  std::string line = "job " + to_string(one.job) + " of " + one.closure + ", attempt " +
                     std::to_string(one.attempt) + ": " +
                     (has_expired(one) ? std::string("expired") : std::string(to_string(one.outcome)));
  if (one.error) line += ": " + one.error->chain();
  return line + "\n";
}

}  // namespace

std::size_t drain_report::done() const { return count(*this, outcome::done); }
std::size_t drain_report::failed() const { return count(*this, outcome::failed); }
std::size_t drain_report::delayed() const { return count(*this, outcome::delayed); }
std::size_t drain_report::crashed() const { return count(*this, outcome::crashed); }
std::size_t drain_report::expired() const { return count(*this, has_expired); }
std::size_t drain_report::refused() const { return count(*this, outcome::refused) - expired(); }

std::size_t drain_report::retried() const {
  return count(*this, [](const ran_attempt& one) { return went_wrong(one) && one.tried_again; });
}

std::string drain_report::text() const {
  std::string all;
  for (const auto& one : attempts) all += line_of(one);
  return all;
}

void drain_report::require_success() const {
  std::string bad;
  for (const auto& one : attempts) bad += went_wrong(one) ? line_of(one) : std::string();
  if (!bad.empty()) throw test_failure("jobs: a drain was to succeed, but:\n" + bad);
}

}  // namespace weft::inline v1::jobs
