#include <weft/jobs/view.hpp>

#include <cstdio>
#include <ctime>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/log/escape.hpp>
#include <weft/logbook/defer.hpp>

namespace weft::inline v1::jobs {

namespace {

using wire::json_object;
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

shown_attempt view_of(const attempt_info& from) {
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

/// Of a host's identity only what people call it.
std::string host_name(const std::string& identity) {
  return log::to_utf8(identity.substr(0, identity.find(' ')));
}

}  // namespace

shown_job view_of(const job_info& from, moment now) {
  shown_job made;
  made.id = to_string(from.id);
  made.queue = log::to_utf8(from.queue);
  made.closure = log::to_utf8(from.closure);
  made.state = to_string(from.state);
  made.priority = from.priority;
  made.created = time_text(from.created);
  if (!from.finished) {
    const auto age = now - from.due.value_or(from.created);
    made.age_seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  }
  if (from.finished) {
    made.finished = time_text(*from.finished);
  } else if (from.state != job_state::running) {
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

shown_queue view_of(const queue_stats& from) {
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

shown_worker view_of(const worker_row& from) {
  return {to_string(from.id), host_name(from.host), from.pid, from.running};
}

shown_limit view_of(const stored_limit& from) {
  const rate_options& rate = from.is.rate;
  return {log::to_utf8(from.is.key),
          from.is.max,
          from.running,
          from.held_back,
          rate.count,
          std::chrono::duration<double>(rate.period).count(),
          rate.burst,
          from.pinned};
}

shown_step view_of(const job_step_info& from) {
  json_value left = from.is_cut ? json_value(log::to_utf8(from.result) + "...") : kept_json(from.result);
  return {log::to_utf8(from.name), std::move(left), text_unless_empty(from.problem)};
}

shown_schedule view_of(const schedule_info& from, bool with_keys) {
  shown_schedule made;
  made.name = log::to_utf8(from.name);
  made.queue = log::to_utf8(from.queue);
  made.cron = log::to_utf8(from.cron);
  made.zone = log::to_utf8(from.zone);
  made.next = time_text(from.next);
  made.last = time_text(from.last);
  made.paused = from.paused;
  if (!with_keys) return made;
  if (!from.problem.empty()) {
    made.problem = log::to_utf8(from.problem);
    return made;
  }
  made.closure = log::to_utf8(from.closure);
  made.source = log::to_utf8(from.source);
  made.catch_up = from.policy;
  return made;
}

shown_details details_of(const job_info& from, const std::string& result, std::vector<std::string> why,
                         moment now, const job_steps& steps) {
  shown_details made;
  made.job = view_of(from, now);
  made.limit = text_unless_empty(from.limit);
  for (const auto one : from.waits_for) made.waits_for.push_back(to_string(one));
  made.progress = from.progress;
  if (made.progress) made.progress->note = log::to_utf8(made.progress->note);
  made.result = kept_json(result);
  for (const auto& one : from.past) made.attempts.push_back(view_of(one));
  made.why = std::move(why);
  if (from.timeout.count() > 0) made.timeout_seconds = std::chrono::duration<double>(from.timeout).count();
  if (from.expires) made.expires = time_text(*from.expires);
  made.tenant = text_unless_empty(from.tenant);
  made.trace_id = text_unless_empty(from.trace);
  made.span_id = text_unless_empty(from.span);
  for (const auto& one : from.context) {
    made.context.push_back(
        {log::to_utf8(one.name), one.hidden ? std::nullopt : std::optional(log::to_utf8(one.text))});
  }
  for (const auto& one : steps.steps) made.steps.push_back(view_of(one));
  made.steps_total = static_cast<std::int64_t>(steps.total);
  return made;
}

shown_stats stats_of(store& from) {
  shown_stats made;
  for (const auto& one : from.stats()) made.queues.push_back(view_of(one));
  for (const auto& one : from.workers()) made.workers.push_back(view_of(one));
  return made;
}

json_object error_value(const failure& from) {
  json_value::list causes;
  for (const auto& one : from.causes) causes.emplace_back(error_value(one));
  return {{"code", std::string(to_string(from.code))},
          {"type", log::to_utf8(from.type)},
          {"message", log::to_utf8(from.message)},
          {"where", log::to_utf8(from.where)},
          {"causes", std::move(causes)}};
}

std::string time_text(moment at) {
  const auto second = std::chrono::floor<std::chrono::seconds>(at);
  const std::time_t since_1970 = second.time_since_epoch().count();
  std::tm parts{};
  if (::gmtime_r(&since_1970, &parts) == nullptr) return "?";
  char date[64];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  char text[96];
  std::snprintf(text, sizeof text, "%s.%06dZ", date, static_cast<int>((at - second).count()));
  return text;
}

}  // namespace weft::inline v1::jobs
