#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <weft/core/failure.hpp>
#include <weft/jobs/job.hpp>

namespace weft::inline v1::jobs {

/// An attempt that a drain has run.
struct ran_attempt {
  job_id job{};
  std::string closure;  ///< identity, with the types of its arguments
  int attempt = 0;      ///< 1 for the first
  attempt_outcome outcome = attempt_outcome::done;
  bool tried_again = false;            ///< the job has, or waits for, another attempt
  job_state state = job_state::ready;  ///< of the job when the drain was over
  moment started{};                    ///< by the test's clock
  std::optional<failure> error = {};   ///< what it failed with, or why it was refused
};

/// What a drain did.
struct drain_report {
  std::vector<ran_attempt> attempts;  ///< in the order in which they ran

  std::size_t done() const;     ///< attempts that returned
  std::size_t failed() const;   ///< attempts that threw
  std::size_t delayed() const;  ///< attempts that asked for another time
  std::size_t crashed() const;  ///< attempts whose worker process died
  /// Jobs that could not run: a service is missing, a signature does not fit.
  std::size_t refused() const;
  std::size_t expired() const;  ///< jobs that were not run, as their time was over
  std::size_t retried() const;  ///< attempts that did not return, after which their job is tried again
  /// A line for each attempt, for people.
  std::string text() const;
  /// Throws test_failure, with all errors, unless every attempt returned or asked for another time.
  void require_success() const;
};

}  // namespace weft::inline v1::jobs
