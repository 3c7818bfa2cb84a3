#include <string_view>

#include <weft/log/escape.hpp>

#include "cli/jobs_view.hpp"
#include "cli/log_text.hpp"
#include "cli/printed_error.hpp"
#include "cli/text_table.hpp"
#include "cli/time_text.hpp"

namespace weft::inline v1::cli {

namespace {

using rows = std::vector<std::vector<std::string>>;

std::string joined(const std::vector<std::string>& all) {
  std::string text;
  for (const auto& one : all) text.append(text.empty() ? "" : " ").append(log::escaped(one));
  return text;
}

/// The name of its closure, without the types of the arguments.
std::string closure_name(const jobs::job_info& from) {
  return log::escaped(std::string_view(from.closure).substr(0, from.closure.find('(')));
}

/// When it is due, or has ended.
std::string when_text(const jobs::job_info& from, jobs::moment now) {
  if (from.finished) return relative_text(*from.finished - now);
  if (from.state == jobs::job_state::scheduled) return relative_text(from.run_at - now);
  return "-";
}

std::string tries_text(const jobs::job_info& from) {
  const std::string failed = std::to_string(from.attempts);
  return from.attempts_max > 0 ? failed + '/' + std::to_string(from.attempts_max) : failed;
}

std::string state_text(const jobs::job_info& from) {
  return std::string(to_string(from.state)) + (from.cancel_requested ? " (to be cancelled)" : "");
}

std::string date_text(jobs::moment at, jobs::moment now) {
  return time_text(at) + ", " + relative_text(at - now);
}

std::string progress_text(const jobs::job_progress& from) {
  std::string text = std::to_string(from.done);
  if (from.total > 0) text += " of " + std::to_string(from.total);
  return from.note.empty() ? text : text + ", " + log::escaped(from.note);
}

void add_state(rows& to, const jobs::job_info& from, jobs::moment now) {
  to.push_back({"state", state_text(from)});
  to.push_back({"created", date_text(from.created, now)});
  if (from.finished) {
    to.push_back({"ended", date_text(*from.finished, now)});
  } else if (from.state != jobs::job_state::running) {
    to.push_back({"due", date_text(from.run_at, now)});
  }
  if (from.attempts > 0 && !from.finished)
    to.push_back({"failing since", date_text(from.due.value_or(from.created), now)});
  if (from.owner) to.push_back({"worker", to_string(*from.owner)});
  if (from.progress) to.push_back({"progress", progress_text(*from.progress)});
}

void add_waits(rows& to, const jobs::job_info& from) {
  if (from.waits_for.empty()) return;
  std::string ids;
  for (const auto one : from.waits_for) ids.append(ids.empty() ? "" : " ").append(to_string(one));
  to.push_back({"waits for", ids});
}

rows head_of(const jobs::job_info& from, const std::string& result, jobs::moment now) {
  rows all{{"job", to_string(from.id)},
           {"queue", log::escaped(from.queue)},
           {"closure", log::escaped(from.closure)}};
  add_state(all, from, now);
  add_waits(all, from);
  if (!from.source.empty()) all.push_back({"written at", log::escaped(from.source)});
  if (!from.arguments.empty()) all.push_back({"arguments", log::escaped(from.arguments)});
  if (from.priority != 0) all.push_back({"priority", std::to_string(from.priority)});
  all.push_back({"failed", tries_text(from) +
                               (from.attempts_max == 0 && from.attempts == 1 ? " attempt" : " attempts")});
  if (from.backoffs > 0) all.push_back({"back-offs", std::to_string(from.backoffs)});
  if (from.crashes > 0) all.push_back({"crashes", std::to_string(from.crashes)});
  if (!from.limit.empty()) all.push_back({"limit", log::escaped(from.limit)});
  if (!from.tags.empty()) all.push_back({"tags", joined(from.tags)});
  if (!result.empty()) all.push_back({"result", log::escaped(result)});
  if (!from.problem.empty()) all.push_back({"problem", log::escaped(from.problem)});
  return all;
}

std::string attempt_text(const jobs::attempt_info& from, jobs::moment now) {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(from.ended - from.started);
  std::string text = "\nattempt " + std::to_string(from.attempt) + ", claim " + std::to_string(from.claim) +
                     ": " + std::string(to_string(from.outcome)) + ", " + date_text(from.started, now) +
                     ", for " + std::to_string(took.count()) + " ms, by worker " + to_string(from.owner) +
                     '\n';
  if (from.error) text += failure_text(*from.error);
  if (from.log.records.empty() && from.log.timers.empty() && from.log.data.empty()) return text;
  constexpr int all_levels = 1000;
  return text + log_text(from.log, {.verbosity = all_levels, .utc = true}, now);
}

}  // namespace

std::string line_text(const jobs::job_info& from, jobs::moment now) {
  std::string text = time_text(now) + "  " + to_string(from.id) + "  ";
  text.append(to_string(from.state));
  text += "  " + log::escaped(from.queue) + "  " + closure_name(from);
  if (from.attempts > 0) text += "  failed " + tries_text(from);
  if (from.cancel_requested) text += "  asked to end";
  if (!from.tags.empty()) text += "  " + joined(from.tags);
  return text;
}

std::string list_text(const std::vector<jobs::job_info>& jobs, jobs::moment now) {
  rows all{{"ID", "STATE", "QUEUE", "AGE", "WHEN", "FAILED", "CLOSURE", "TAGS"}};
  for (const auto& one : jobs) {
    const auto age = relative_text(one.created - now);
    all.push_back({to_string(one.id), std::string(to_string(one.state)), log::escaped(one.queue), age,
                   when_text(one, now), tries_text(one), closure_name(one), joined(one.tags)});
  }
  return text_table(all);
}

std::string details_text(const jobs::job_info& from, const std::string& result,
                         const std::vector<std::string>& why, jobs::moment now) {
  rows head = head_of(from, result, now);
  for (const auto& one : why) head.push_back({"why", log::escaped(one)});
  std::string text = text_table(head);
  for (const auto& one : from.past) text += attempt_text(one, now);
  return text;
}

std::string stats_text(const shown_stats& from) {
  rows queues{
      {"QUEUE", "READY", "SCHEDULED", "BLOCKED", "RUNNING", "DONE", "DEAD", "CANCELLED", "QUARANTINED", ""}};
  for (const auto& one : from.queues) {
    queues.push_back({log::escaped(one.queue), std::to_string(one.ready), std::to_string(one.scheduled),
                      std::to_string(one.blocked), std::to_string(one.running), std::to_string(one.done),
                      std::to_string(one.dead), std::to_string(one.cancelled),
                      std::to_string(one.quarantined), one.paused ? "paused" : ""});
  }
  std::string text = text_table(queues);
  if (from.workers.empty()) return text + "\nno workers\n";
  rows workers{{"WORKER", "HOST", "PID", "RUNNING"}};
  for (const auto& one : from.workers)
    workers.push_back({one.id, log::escaped(one.host), std::to_string(one.pid), std::to_string(one.running)});
  return text + '\n' + text_table(workers);
}

}  // namespace weft::inline v1::cli
