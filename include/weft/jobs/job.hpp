#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weft/jobs/clock.hpp>

namespace weft::inline v1::jobs {

/// The number of a job: unique in its store, never reused, growing with the time of the push.
enum class job_id : std::int64_t {};
/// The number of a running worker: new at each start.
enum class worker_id : std::int64_t {};

/// The decimal text of an id, as people type it.
std::string to_string(job_id id);
std::string to_string(worker_id id);
/// The id of such a text; nothing if the text is no id.
std::optional<job_id> job_id_from_string(std::string_view text) noexcept;

/// Where a job is.
enum class job_state : unsigned char {
  scheduled,    ///< waits for its moment
  ready,        ///< waits for a worker
  running,      ///< claimed by a worker
  done,         ///< succeeded
  dead,         ///< spent its attempts; kept until somebody decides
  cancelled,    ///< given up on request
  quarantined,  ///< its signature does not fit, or it crashed its workers too often; never deleted by itself
  blocked,      ///< waits for other jobs, or for room within its limit
};

/// "scheduled", "ready", ...
std::string_view to_string(job_state state) noexcept;
/// The state with that name; nothing for any other text.
std::optional<job_state> job_state_from_string(std::string_view name) noexcept;

/// How one attempt ended.
enum class attempt_outcome : unsigned char {
  done,       ///< the function returned
  failed,     ///< an error reached the attempt's edge
  delayed,    ///< the function asked for another time: delay() or backoff()
  crashed,    ///< the worker went away (found by rescue), or the worker process that ran it
  cancelled,  ///< given up: cancelled job, or a worker that stops
  refused,    ///< not run: bad signature, unknown key, arguments that do not fit
};

std::string_view to_string(attempt_outcome outcome) noexcept;
std::optional<attempt_outcome> attempt_outcome_from_string(std::string_view name) noexcept;

/// How far a running job is.
struct job_progress {
  std::int64_t done = 0;
  std::int64_t total = 0;  ///< 0: not known
  std::string note;
  bool operator==(const job_progress&) const = default;
};

/// How the spans of a job's attempts stand to the span that pushed it.
enum class job_trace : unsigned char {
  linked,  ///< each begins a trace of its own, with a link to it (default)
  child,   ///< each is a child of it, in its trace
};

/// How long a unique job keeps others with its key out.
enum class unique_until : unsigned char {
  ended,    ///< until it is done, dead, cancelled or quarantined
  claimed,  ///< until a worker takes it: the next one may wait while it runs
};

/// At most one job at a time, of those of one closure in one queue that have the same key.
struct unique_options {
  std::string key = {};  ///< empty: the arguments; at most 4096 bytes
  unique_until until = unique_until::ended;
  std::chrono::microseconds period{0};  ///< and at least for so long after its push
};

/// How often attempts may begin: a bucket of `burst` tokens that is filled at `count` in `period`, evenly.
/// Each attempt takes one; one that is released, as it was not begun, gives it back, unless it is filled up
/// by then. So in any time no more begin than `count` for each `period` of it and `burst`.
struct rate_options {
  int count = 0;                                               ///< 0: no bound
  std::chrono::microseconds period = std::chrono::seconds(1);  ///< at most a year
  int burst = 0;                                               ///< 0: as many as `count`
};

/// How many jobs with that key may run at a time, and how often they begin, in all queues and processes. The
/// last push that names the key says it for all, unless somebody has set it (jobs::set_limit). Keys take
/// turns: of a queue's ready jobs with one priority, each key's next one is begun before a second one of any,
/// so many jobs of one key keep no other's waiting.
struct limit_options {
  std::string key;  ///< 1 to 256 bytes
  int max = 1;      ///< a large number where only the rate counts
  rate_options rate = {};
};

/// How long jobs are kept once they have ended; nothing: until somebody deletes them, as quarantined ones.
struct job_retention {
  std::optional<std::chrono::microseconds> done = std::chrono::hours(7 * 24);
  std::optional<std::chrono::microseconds> given_up = {};  ///< dead and cancelled ones
};

/// How a job is pushed. The defaults: now, the queue's default name, as often as the retry policy says.
struct push_options {
  std::chrono::microseconds delay{0};    ///< runs that long from now at the earliest; at most a century
  std::optional<moment> at = {};         ///< runs then at the earliest; wins over delay
  std::string queue = {};                ///< empty: the default queue
  int priority = 0;                      ///< lower runs first; -32768 to 32767
  int max_attempts = 0;                  ///< failures until it is dead; 0: the queue's default
  std::chrono::microseconds timeout{0};  ///< bound of one attempt; 0: the queue's default
  std::optional<moment> expires = {};    ///< no attempt begins after this moment: it is dead then
  job_trace trace = job_trace::linked;   ///< for programs that record spans
  /// If another job has the key, nothing is pushed, and the push returns the id of that job.
  std::optional<unique_options> unique = {};
  std::vector<std::string> tags = {};  ///< for people: up to 16, of 1 to 64 bytes
  std::optional<limit_options> limit = {};
  /// Runs when all of these are done. It waits for one that is given up until that is retried, and is
  /// cancelled when that is deleted.
  std::vector<job_id> after = {};
  std::vector<job_id> after_end = {};  ///< runs when all of these have ended, in whatever way
};

}  // namespace weft::inline v1::jobs
