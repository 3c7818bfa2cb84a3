#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/jobs/job_info.hpp>
#include <weft/jobs/store.hpp>
#include <weft/wire/json_value.hpp>

namespace weft::cli {

// What `weft jobs ... --json` prints: docs/command-line.md. Members are only added, never renamed; `schema`
// grows where that cannot be kept. Text that was no UTF-8 has U+FFFD in its place.

inline constexpr int jobs_schema = 1;

struct shown_job {
  std::string id;
  std::string queue;
  std::string closure;
  std::string state;
  int priority = 0;
  std::string created;
  std::optional<std::int64_t>
      age_seconds;                      ///< of one that has not ended, from the moment that it was pushed for
  std::optional<std::string> run_at;    ///< while it waits
  std::optional<std::string> finished;  ///< once it has ended
  int attempts = 0;                     ///< that failed
  std::optional<int> attempts_max;      ///< with keys
  int backoffs = 0;
  int crashes = 0;
  std::optional<std::string> owner;  ///< while it runs
  bool cancel_requested = false;
  std::vector<std::string> tags;
  std::optional<std::string> source;   ///< with keys
  wire::json_value arguments;          ///< with keys
  std::optional<std::string> problem;  ///< with keys: why its envelope cannot be trusted or read
};
WEFT_DESCRIBE(shown_job, id, queue, closure, state, priority, created, age_seconds, run_at, finished,
              attempts, attempts_max, backoffs, crashes, owner, cancel_requested, tags, source, arguments,
              problem);

/// `weft jobs list`.
struct shown_list {
  int schema = jobs_schema;
  std::vector<shown_job> jobs;      ///< newest first
  std::optional<std::string> next;  ///< for --before, where there may be more
};
WEFT_DESCRIBE(shown_list, schema, jobs, next);

struct shown_attempt {
  int attempt = 0;
  std::int64_t claim = 0;
  std::string owner;
  std::string outcome;
  std::string started;
  std::string ended;
  wire::json_value error;  ///< as `weft call --json` prints one
  wire::json_value log;    ///< in the form of Log::Defer; null where there is none
};
WEFT_DESCRIBE(shown_attempt, attempt, claim, owner, outcome, started, ended, error, log);

/// `weft jobs show`.
struct shown_details {
  int schema = jobs_schema;
  shown_job job;
  std::optional<std::string> limit;            ///< key of its concurrency limit
  std::vector<std::string> waits_for;          ///< ids
  std::optional<jobs::job_progress> progress;  ///< while it runs
  wire::json_value result;                     ///< with keys, once done
  std::vector<shown_attempt> attempts;         ///< oldest first
};
WEFT_DESCRIBE(shown_details, schema, job, limit, waits_for, progress, result, attempts);

struct shown_queue {
  std::string queue;
  bool paused = false;
  std::int64_t scheduled = 0;
  std::int64_t ready = 0;
  std::int64_t blocked = 0;
  std::int64_t running = 0;
  std::int64_t done = 0;
  std::int64_t dead = 0;
  std::int64_t cancelled = 0;
  std::int64_t quarantined = 0;
};
WEFT_DESCRIBE(shown_queue, queue, paused, scheduled, ready, blocked, running, done, dead, cancelled,
              quarantined);

struct shown_worker {
  std::string id;
  std::string host;
  std::int64_t pid = 0;
  std::int64_t running = 0;  ///< jobs it holds
};
WEFT_DESCRIBE(shown_worker, id, host, pid, running);

/// `weft jobs stats`.
struct shown_stats {
  int schema = jobs_schema;
  std::vector<shown_queue> queues;
  std::vector<shown_worker> workers;
};
WEFT_DESCRIBE(shown_stats, schema, queues, workers);

shown_job view_of(const jobs::job_info& from);
/// `result`: JSON, empty for none.
shown_details details_of(const jobs::job_info& from, const std::string& result);
shown_stats stats_of(jobs::store& from);

/// As people read them; control characters are escaped.
/// A line for one job, without its end.
std::string line_text(const jobs::job_info& from, jobs::moment now);
std::string list_text(const std::vector<jobs::job_info>& jobs, jobs::moment now);
std::string details_text(const jobs::job_info& from, const std::string& result, jobs::moment now);
std::string stats_text(const shown_stats& from);

}  // namespace weft::cli
