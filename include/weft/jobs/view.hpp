#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/core/failure.hpp>
#include <weft/jobs/job_info.hpp>
#include <weft/jobs/schedule.hpp>
#include <weft/jobs/store.hpp>
#include <weft/wire/json_value.hpp>

namespace weft::inline v1::jobs {

// Jobs, queues and workers as JSON has them: what `weft jobs ... --json` prints (docs/command-line.md) and
// the dashboard answers. Members are only added, never renamed; `schema` grows where that cannot be kept.
// Text that was no UTF-8 has U+FFFD in its place. All of it is plain data; the functions never wait, but for
// stats_of.

inline constexpr int view_schema = 1;

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

/// A page of jobs.
struct shown_list {
  int schema = view_schema;
  std::vector<shown_job> jobs;      ///< newest first
  std::optional<std::string> next;  ///< id that the next page is before, where there may be one
};
WEFT_DESCRIBE(shown_list, schema, jobs, next);

struct shown_attempt {
  int attempt = 0;
  std::int64_t claim = 0;
  std::string owner;
  std::string outcome;
  std::string started;
  std::string ended;
  wire::json_value error;  ///< as error_value makes one; null where there is none
  wire::json_value log;    ///< in the form of Log::Defer; null where there is none
};
WEFT_DESCRIBE(shown_attempt, attempt, claim, owner, outcome, started, ended, error, log);

/// A value of the context that a job was pushed in.
struct shown_context_value {
  std::string name;
  std::optional<std::string> value;  ///< none: it may be a secret
};
WEFT_DESCRIBE(shown_context_value, name, value);

/// What a step of a job has left.
struct shown_step {
  std::string name;
  wire::json_value result;  ///< a text, where it was too long to be shown whole
  std::optional<std::string> problem;
};
WEFT_DESCRIBE(shown_step, name, result, problem);

/// One job with all that is known of it.
struct shown_details {
  int schema = view_schema;
  shown_job job;
  std::optional<std::string> limit;       ///< key of its concurrency limit
  std::vector<std::string> waits_for;     ///< ids
  std::optional<job_progress> progress;   ///< while it runs
  wire::json_value result;                ///< with keys, once done
  std::vector<shown_attempt> attempts;    ///< oldest first
  std::vector<std::string> why;           ///< it does not run: sentences of why_waiting
  std::optional<double> timeout_seconds;  ///< with keys, as all that follows: of each attempt
  std::optional<std::string> expires;     ///< no attempt begins after it
  std::optional<std::string> tenant;
  std::optional<std::string> trace_id;       ///< of the trace that it was pushed in
  std::optional<std::string> span_id;        ///< of the span that pushed it
  std::vector<shown_context_value> context;  ///< what it was pushed in
  std::vector<shown_step> steps;             ///< the first ones, by name
  std::int64_t steps_total = 0;
};
WEFT_DESCRIBE(shown_details, schema, job, limit, waits_for, progress, result, attempts, why, timeout_seconds,
              expires, tenant, trace_id, span_id, context, steps, steps_total);

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

/// A limit of jobs with that key.
struct shown_limit {
  std::string key;
  std::int64_t max = 1;
  std::int64_t running = 0;
  std::int64_t held_back = 0;   ///< jobs; limit_waits_counted_max and no more are counted
  std::int64_t rate_count = 0;  ///< that begin in each period; 0: any number
  double rate_seconds = 1;      ///< the period
  std::int64_t rate_burst = 0;  ///< 0: as many as the count
  bool pinned = false;          ///< it was set, and pushes do not change it
};
WEFT_DESCRIBE(shown_limit, key, max, running, held_back, rate_count, rate_seconds, rate_burst, pinned);

/// All queues and workers of a store.
struct shown_stats {
  int schema = view_schema;
  std::vector<shown_queue> queues;
  std::vector<shown_worker> workers;
};
WEFT_DESCRIBE(shown_stats, schema, queues, workers);

/// A schedule.
struct shown_schedule {
  std::string name;
  std::string queue;
  std::string cron;
  std::string zone;
  std::string next;  ///< a worker looks at it then; also while it is paused, when nobody does
  std::string last;  ///< all times up to then were seen to
  bool paused = false;
  std::optional<std::string> closure;      ///< with keys, as all that follows
  std::optional<std::string> source;       ///< file and line of its closure
  std::optional<jobs::catch_up> catch_up;  ///< what becomes of times that nobody saw
  std::optional<std::string> problem;      ///< why it cannot be trusted or read, so that it pushes nothing
};
WEFT_DESCRIBE(shown_schedule, name, queue, cron, zone, next, last, paused, closure, source, catch_up,
              problem);

/// `now`: by the clock of its store.
shown_job view_of(const job_info& from, moment now);
shown_queue view_of(const queue_stats& from);
shown_worker view_of(const worker_row& from);
shown_limit view_of(const stored_limit& from);
shown_step view_of(const job_step_info& from);
shown_schedule view_of(const schedule_info& from, bool with_keys);
/// `result`: JSON, empty for none.
shown_details details_of(const job_info& from, const std::string& result, std::vector<std::string> why,
                         moment now, const job_steps& steps = {});
/// Waits for the store; throws as it does.
shown_stats stats_of(store& from);

/// An object: code, type, message, where, causes.
wire::json_object error_value(const failure& from);
/// "2026-11-22T02:30:00.000000Z".
std::string time_text(moment at);

}  // namespace weft::inline v1::jobs
