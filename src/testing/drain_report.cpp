#include <weft/testing/drain_report.hpp>

#include <algorithm>

#include <weft/jobs/job_info.hpp>
#include <weft/testing/test_failure.hpp>

namespace weft::jobs {
namespace {

std::size_t count(const drain_report& of, attempt_outcome outcome) {
  return static_cast<std::size_t>(std::count_if(of.attempts.begin(), of.attempts.end(),
                                                [&](const auto& one) { return one.outcome == outcome; }));
}

bool went_wrong(const ran_attempt& one) {
  return one.outcome != attempt_outcome::done && one.outcome != attempt_outcome::delayed;
}

std::string line_of(const ran_attempt& one) {
  std::string line = "job " + to_string(one.job) + " of " + one.closure + ", attempt " +
                     std::to_string(one.attempt) + ": " + std::string(to_string(one.outcome));
  if (one.error) line += ": " + one.error->chain();
  return line + "\n";
}

}  // namespace

std::size_t drain_report::done() const { return count(*this, attempt_outcome::done); }
std::size_t drain_report::failed() const { return count(*this, attempt_outcome::failed); }
std::size_t drain_report::delayed() const { return count(*this, attempt_outcome::delayed); }
std::size_t drain_report::refused() const { return count(*this, attempt_outcome::refused); }

std::size_t drain_report::retried() const {
  return static_cast<std::size_t>(std::count_if(
      attempts.begin(), attempts.end(), [](const auto& one) { return went_wrong(one) && one.tried_again; }));
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

}  // namespace weft::jobs
