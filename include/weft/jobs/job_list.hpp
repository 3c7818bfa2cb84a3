#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/jobs/worker.hpp>

// Which jobs a program knows, for comparing those who push them with those who run them: a closure is only
// there where the code that has it is linked.

namespace weft::inline v1::jobs {

/// A closure that this program can push and run.
struct listed_job {
  std::string identity;   ///< what the queue has of it; empty for an unnamed one without build id
  std::string name;       ///< empty for an unnamed one: it runs in this build only
  std::string arguments;  ///< schema of its values
  std::string result;     ///< the same of what it returns; "void"
  std::string
      schema_hash;     ///< of both; where it differs, arguments may not fit. For comparing, not for trust
  std::string place;   ///< "unsaid", "fiber", "pool", "workers"
  std::string source;  ///< file, line and column
};
WEFT_DESCRIBE(listed_job, identity, name, arguments, result, schema_hash, place, source);

/// What a worker of this program does with an attempt that failed.
struct listed_retry {
  int attempts_max = 0;  ///< of jobs that do not say otherwise; 0: they are tried for ever
  std::chrono::microseconds first{0};
  double base = 2;
  std::chrono::microseconds longest{0};
  double jitter = 0;
  std::chrono::microseconds alert_after{0};
  bool drops_failed = false;  ///< on_uncaught::log_and_drop
};
WEFT_DESCRIBE(listed_retry, attempts_max, first, base, longest, jitter, alert_after, drops_failed);

struct job_list {
  int schema = 1;        ///< of this answer
  std::string build_id;  ///< of the program
  listed_retry retry;
  std::vector<listed_job> jobs;  ///< named ones by name, then the others by place
};
WEFT_DESCRIBE(job_list, schema, build_id, retry, jobs);

/// All closures of this program, with the retry policy of `how` and the attempts of `pushed`. Thread-safe;
/// never waits. wire::to_json makes JSON of it.
job_list list_jobs(const worker_options& how = {}, const queue_options& pushed = {});

/// As a table, for people and diff: the retry policy, then a line for each closure.
std::string to_text(const job_list& all);

/// For main of a program that pushes or works: where an argument is --list-jobs, prints the list, as JSON
/// where another one is --json, and returns true: the program then ends.
///
///     if (jobs::print_job_list_if_asked(argc, argv, options)) return 0;
bool print_job_list_if_asked(int argc, const char* const* argv, const worker_options& how = {},
                             const queue_options& pushed = {});

}  // namespace weft::inline v1::jobs
