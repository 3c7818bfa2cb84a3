#include "cli/jobs_view.hpp"

#include <utility>

#include <weft/core/error.hpp>
#include <weft/log/escape.hpp>
#include <weft/logbook/defer.hpp>

#include "cli/printed_error.hpp"
#include "cli/time_text.hpp"

namespace weft::cli {

namespace {

using wire::json_value;

/// JSON that was kept; as a text where it is none.
json_value kept_json(const std::string& from) {
  if (from.empty()) return nullptr;
  try {
    return wire::parse_json(from);
  } catch (const error&) {
    return log::to_utf8(from);
  }
}

std::optional<std::string> text_unless_empty(const std::string& from) {
  return from.empty() ? std::nullopt : std::optional(log::to_utf8(from));
}

bool is_empty(const log::collection& one) {
  return one.records.empty() && one.timers.empty() && one.data.empty() && one.dropped == 0;
}

shown_attempt view_of(const jobs::attempt_info& from) {
  shown_attempt made{from.attempt,
                     from.claim,
                     to_string(from.owner),
                     std::string(to_string(from.outcome)),
                     time_text(from.started),
                     time_text(from.ended),
                     nullptr,
                     nullptr};
  if (from.error) made.error = error_value(*from.error);
  if (!is_empty(from.log)) made.log = logbook::to_json(from.log);
  return made;
}

shown_queue view_of(const jobs::queue_stats& from) {
  return {log::to_utf8(from.queue),
          from.paused,
          from.scheduled,
          from.ready,
          from.blocked,
          from.running,
          from.done,
          from.dead,
          from.cancelled,
          from.quarantined};
}

/// Of a host's identity only what people call it.
std::string host_name(const std::string& identity) {
  return log::to_utf8(identity.substr(0, identity.find(' ')));
}

}  // namespace

shown_job view_of(const jobs::job_info& from) {
  shown_job made;
  made.id = to_string(from.id);
  made.queue = log::to_utf8(from.queue);
  made.closure = log::to_utf8(from.closure);
  made.state = to_string(from.state);
  made.priority = from.priority;
  made.created = time_text(from.created);
  if (!from.finished) {
    const auto age = jobs::clock::system().now() - from.due.value_or(from.created);
    made.age_seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  }
  if (from.finished) {
    made.finished = time_text(*from.finished);
  } else if (from.state != jobs::job_state::running) {
    made.run_at = time_text(from.run_at);
  }
  made.attempts = from.attempts;
  if (from.attempts_max > 0) made.attempts_max = from.attempts_max;
  made.backoffs = from.backoffs;
  made.crashes = from.crashes;
  if (from.owner) made.owner = to_string(*from.owner);
  made.cancel_requested = from.cancel_requested;
  for (const auto& tag : from.tags) made.tags.push_back(log::to_utf8(tag));
  made.source = text_unless_empty(from.source);
  made.arguments = kept_json(from.arguments);
  made.problem = text_unless_empty(from.problem);
  return made;
}

shown_details details_of(const jobs::job_info& from, const std::string& result) {
  shown_details made;
  made.job = view_of(from);
  made.limit = text_unless_empty(from.limit);
  for (const auto one : from.waits_for) made.waits_for.push_back(to_string(one));
  made.progress = from.progress;
  if (made.progress) made.progress->note = log::to_utf8(made.progress->note);
  made.result = kept_json(result);
  for (const auto& one : from.past) made.attempts.push_back(view_of(one));
  return made;
}

shown_stats stats_of(jobs::store& from) {
  shown_stats made;
  for (const auto& one : from.stats()) made.queues.push_back(view_of(one));
  for (const auto& one : from.workers())
    made.workers.push_back({to_string(one.id), host_name(one.host), one.pid, one.running});
  return made;
}

}  // namespace weft::cli
