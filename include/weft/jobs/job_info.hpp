#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weft/codec/codec.hpp>
#include <weft/core/failure.hpp>
#include <weft/jobs/job.hpp>
#include <weft/log/record_codec.hpp>

// What queue::show and queue::list return: described, so that it can be printed and sent.

namespace weft::inline v1::jobs {

WEFT_DESCRIBE_ENUM(job_state, scheduled, ready, running, done, dead, cancelled, quarantined, blocked);
WEFT_DESCRIBE_ENUM(attempt_outcome, done, failed, delayed, crashed, cancelled, refused);

/// One ended attempt of a job.
struct attempt_info {
  int attempt = 0;         ///< 1 for the first; the same again after a delay or a crash
  std::int64_t claim = 0;  ///< number of the claim, grows each time
  worker_id owner{};
  attempt_outcome outcome = attempt_outcome::done;
  moment started{};
  moment ended{};
  std::optional<failure> error;  ///< with its causes
  log::collection log;           ///< what the attempt logged
};
WEFT_DESCRIBE(attempt_info, attempt, claim, owner, outcome, started, ended, error, log);

WEFT_DESCRIBE(job_progress, done, total, note);

/// A value of the context that a job was pushed in.
struct job_context_value {
  std::string name;
  std::string text;     ///< empty where it is hidden
  bool hidden = false;  ///< it may be a secret (weft::wire_value)
};
WEFT_DESCRIBE(job_context_value, name, text, hidden);

/// What a step has left (control::checkpoint).
struct job_step_info {
  std::string name;     ///< empty where it cannot be trusted
  std::string result;   ///< JSON; the first step_bytes_shown of a longer one
  bool is_cut = false;  ///< it is longer
  std::string problem;  ///< why it cannot be trusted or read; empty: it can
};

/// A part of the steps of a job.
struct job_steps {
  std::vector<job_step_info> steps;  ///< by name
  std::size_t total = 0;             ///< so many there are
};
WEFT_DESCRIBE(job_step_info, name, result, is_cut, problem);

/// A job, for people and tools.
struct job_info {
  job_id id{};
  std::string queue;
  std::string closure;    ///< identity of its function, with the types of its arguments
  std::string source;     ///< file and line of its closure
  std::string arguments;  ///< a JSON list, with "(secret)" in place of each secret
  job_state state = job_state::ready;
  int priority = 0;
  moment created{};
  std::optional<moment> due;  ///< the moment that it was pushed for, where its envelope can be trusted
  moment run_at{};            ///< while it waits
  std::optional<moment> finished;
  int attempts = 0;  ///< that failed
  int attempts_max = 0;
  int backoffs = 0;
  int crashes = 0;
  std::optional<worker_id> owner;  ///< while it runs
  bool cancel_requested = false;
  std::vector<std::string> tags;
  std::string limit;                       ///< its key; only from show()
  std::vector<job_id> waits_for;           ///< jobs that must end first; only from show()
  std::optional<job_progress> progress;    ///< while it runs, only from show()
  std::chrono::microseconds timeout{0};    ///< of each attempt; 0: none
  std::optional<moment> expires;           ///< no attempt begins after it
  std::string tenant;                      ///< queue_options::tenant of who pushed it
  std::vector<job_context_value> context;  ///< by name, without the place in a trace
  std::string trace;                       ///< id of the trace that it was pushed in; empty: none
  std::string span;                        ///< id of the span that pushed it
  std::string problem;                     ///< why its envelope cannot be trusted or read; empty: it can
  std::vector<attempt_info> past;          ///< oldest first; only from show()
};
WEFT_DESCRIBE(job_info, id, queue, closure, source, arguments, state, priority, created, due, run_at,
              finished, attempts, attempts_max, backoffs, crashes, owner, cancel_requested, tags, limit,
              waits_for, progress, timeout, expires, tenant, context, trace, span, problem, past);

}  // namespace weft::inline v1::jobs
