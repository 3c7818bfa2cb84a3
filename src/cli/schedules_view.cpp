#include "cli/schedules_view.hpp"

#include <utility>

#include <weft/log/escape.hpp>

#include "cli/text_table.hpp"
#include "cli/time_text.hpp"

namespace weft::inline v1::cli {

namespace {

using rows = std::vector<std::vector<std::string>>;

std::string state_of(const jobs::schedule_info& from) {
  if (!from.problem.empty()) return "broken";
  return from.paused ? "paused" : "active";
}

std::string_view name_of(jobs::catch_up policy) {
  switch (policy) {
    case jobs::catch_up::skip:
      return "skip";
    case jobs::catch_up::one:
      return "one";
    case jobs::catch_up::all:
      break;
  }
  return "all";
}

/// "2026-11-22T02:30:00Z, in 5h 3m".
std::string time_and_distance(jobs::moment at, jobs::moment now) {
  return time_text(at) + ", " + relative_text(at - now);
}

}  // namespace

std::string list_text(const std::vector<jobs::schedule_info>& schedules, bool with_keys, jobs::moment now) {
  rows all{{"NAME", "STATE", "QUEUE", "NEXT", "LAST", "CRON", "ZONE"}};
  if (with_keys) all[0].insert(all[0].end(), {"CATCH-UP", "CLOSURE"});
  for (const auto& one : schedules) {
    all.push_back({log::escaped(one.name), state_of(one), log::escaped(one.queue),
                   one.paused ? "-" : relative_text(one.next - now), relative_text(one.last - now),
                   log::escaped(one.cron), log::escaped(one.zone)});
    if (!with_keys) continue;
    const bool is_known = one.problem.empty();
    all.back().push_back(is_known ? std::string(name_of(one.policy)) : "?");
    all.back().push_back(is_known ? log::escaped(one.closure.substr(0, one.closure.find('('))) : "?");
  }
  return text_table(all);
}

std::string details_text(const jobs::schedule_info& from, bool with_keys,
                         const std::vector<jobs::moment>& times, const std::vector<jobs::job_info>& newest,
                         jobs::moment now) {
  rows all{{"schedule", log::escaped(from.name)}, {"state", state_of(from)},
           {"queue", log::escaped(from.queue)},   {"cron", log::escaped(from.cron)},
           {"zone", log::escaped(from.zone)},     {"seen to", time_and_distance(from.last, now)}};
  if (!from.paused) all.push_back({"looked at", time_and_distance(from.next, now)});
  if (!from.problem.empty()) {
    all.push_back({"problem", log::escaped(from.problem)});
  } else if (with_keys) {
    all.push_back({"catch-up", std::string(name_of(from.policy))});
    all.push_back({"closure", log::escaped(from.closure)});
    if (!from.source.empty()) all.push_back({"written at", log::escaped(from.source)});
  }
  for (const auto time : times) all.push_back({"due", time_and_distance(time, now)});
  std::string text = text_table(all);
  if (newest.empty()) return text + "\nno jobs\n";
  return text + '\n' + list_text(newest, now);
}

}  // namespace weft::inline v1::cli
