#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <weft/codec/describe.hpp>
#include <weft/core/error.hpp>
#include <weft/http/status_error.hpp>
#include <weft/jobs/change.hpp>
#include <weft/jobs/limits.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/unverified_schedule.hpp>

#include "dashboard/site_state.hpp"

namespace weft::inline v1::dashboard {

namespace {

using namespace std::chrono_literals;
using http::status_error;
using jobs::job_change;

constexpr auto count_time = 60ms;   // of an answer; what is not counted by then is "more"
constexpr auto change_time = 60ms;  // and what is begun by then

/// The body of a request that names a queue or a schedule.
struct named {
  std::string name;
};
WEFT_DESCRIBE(named, name);

struct wanted_limit {
  std::string key;
  std::optional<std::int64_t> max;         ///< none: any number
  std::optional<std::int64_t> rate_count;  ///< none, or 0: no rate
  std::optional<double> rate_seconds;
  std::optional<std::int64_t> rate_burst;
};
WEFT_DESCRIBE(wanted_limit, key, max, rate_count, rate_seconds, rate_burst);

struct named_limit {
  std::string key;
};
WEFT_DESCRIBE(named_limit, key);

struct wanted_bulk {
  std::string action;
  std::string filter;  ///< as the query of a request for jobs
};
WEFT_DESCRIBE(wanted_bulk, action, filter);

struct confirmed_bulk {
  std::string token;
};
WEFT_DESCRIBE(confirmed_bulk, token);

struct change_answer {
  bool changed = false;
  std::optional<std::string> why;  ///< it was left as it is
};
WEFT_DESCRIBE(change_answer, changed, why);

struct pushed_answer {
  std::string id;
};
WEFT_DESCRIBE(pushed_answer, id);

struct shown {
  std::optional<std::string> state;  ///< of the job on the page of whom decided
};
WEFT_DESCRIBE(shown, state);

constexpr std::array<std::pair<std::string_view, job_change>, 3> actions{
    {{"retry", job_change::retry}, {"cancel", job_change::cancel}, {"delete", job_change::remove}}};

std::string_view name_of(job_change what) {
  return std::ranges::find(actions, what, &decltype(actions)::value_type::second)->first;
}

job_change change_named(std::string_view name) {
  const auto found = std::ranges::find(actions, name, &decltype(actions)::value_type::first);
  if (found == actions.end()) throw status_error(404, "there is no such action");
  return found->second;
}

change_answer change_one(site::state& of, const http::request& in) {
  const identity by = of.door.who_changes(in);
  const auto id = jobs::job_id_from_string(in.param("id"));
  if (!id) throw status_error(404, "that is no id of a job");
  const job_change what = change_named(in.param("action"));
  const auto state = in.body().empty() ? std::nullopt : in.json<shown>().state;
  const auto seen = state ? jobs::job_state_from_string(*state) : std::nullopt;
  if (state && !seen) throw status_error(400, "that is no state of a job");
  std::string why = jobs::change_job(of.in(), what, *id, of.now(), seen);
  if (!why.empty()) return {false, std::move(why)};
  audit(by, in, name_of(what), "job " + to_string(*id), 1);
  return {true, std::nullopt};
}

change_answer set_paused(site::state& of, const http::request& in, bool paused) {
  const identity by = of.door.who_changes(in);
  const auto queue = in.json<named>();
  of.in().set_paused(queue.name, paused);
  audit(by, in, paused ? "pause" : "resume", "queue " + queue.name, 0);
  return {true, std::nullopt};
}

change_answer change_schedule(site::state& of, const http::request& in, bool paused) {
  const identity by = of.door.who_changes(in);
  const auto schedule = in.json<named>();
  const bool is_there = paused ? of.in().pause_schedule(schedule.name)
                               : jobs::resume_unverified(of.in(), schedule.name, of.now());
  if (!is_there) return {false, "there is no such schedule"};
  audit(by, in, paused ? "pause" : "resume", "schedule " + schedule.name, 0);
  return {true, std::nullopt};
}

pushed_answer fire(site::state& of, const http::request& in) {
  const identity by = of.door.who_changes(in);
  const auto schedule = in.json<named>();
  if (of.options.keys == nullptr)
    throw status_error(409, "the dashboard has no keys, so it cannot sign a job");
  jobs::queue queue(of.store,
                    {.keys = of.options.keys, .tenant = of.options.tenant, .clock = of.options.clock});
  try {
    const auto id = queue.fire_now(schedule.name);
    if (!id) throw status_error(404, "there is no such schedule");
    audit(by, in, "run now", "schedule " + schedule.name, 1);
    return {to_string(*id)};
  } catch (const status_error&) {
    throw;
  } catch (const error& bad) {
    throw status_error(409, bad.message());
  }
}

int checked_count(std::int64_t number) {
  if (number < 0 || number > INT32_MAX) throw status_error(400, "that is no number of jobs");
  return static_cast<int>(number);
}

jobs::limit_options limit_of(const wanted_limit& said) {
  constexpr double seconds_max = 366 * 86'400.0;
  jobs::limit_options made{said.key, checked_count(said.max.value_or(INT32_MAX))};
  made.rate.count = checked_count(said.rate_count.value_or(0));
  made.rate.burst = checked_count(said.rate_burst.value_or(0));
  const double seconds = said.rate_seconds.value_or(1);
  if (!(seconds > 0 && seconds <= seconds_max))
    throw status_error(400, "a rate needs a period of up to a year");
  made.rate.period = std::chrono::round<std::chrono::microseconds>(std::chrono::duration<double>(seconds));
  return made;
}

change_answer set_limit(site::state& of, const http::request& in) {
  const identity by = of.door.who_changes(in);
  const auto limit = limit_of(in.json<wanted_limit>());
  try {
    jobs::set_limit(of.in(), limit);
  } catch (const error& bad) {
    if (bad.code() != errc::invalid_argument) throw;
    throw status_error(400, bad.message());
  }
  audit(by, in, "set limit",
        "limit " + limit.key + ": " + std::to_string(limit.max) + " at a time, " +
            std::to_string(limit.rate.count) + " in " +
            std::to_string(std::chrono::duration<double>(limit.rate.period).count()) + " s",
        0);
  return {true, std::nullopt};
}

change_answer release_limit(site::state& of, const http::request& in) {
  const identity by = of.door.who_changes(in);
  const auto limit = in.json<named_limit>();
  if (!jobs::release_limit(of.in(), limit.key)) return {false, "nobody has set that limit"};
  audit(by, in, "release limit", "limit " + limit.key, 0);
  return {true, std::nullopt};
}

bulk_count count_many(site::state& of, const http::request& in) {
  const identity by = of.door.who_changes(in);
  const auto wanted = in.json<wanted_bulk>();
  return of.changes.count(by.name, change_named(wanted.action), filter_in(of, wanted.filter), wanted.filter,
                          of.now(), count_time);
}

bulk_progress change_many(site::state& of, const http::request& in) {
  const identity by = of.door.who_changes(in);
  const auto confirmed = in.json<confirmed_bulk>();
  const auto plan = of.changes.find(by.name, confirmed.token);
  const auto made = plan ? of.changes.run(by.name, confirmed.token, of.now(), change_time) : std::nullopt;
  if (!made) throw status_error(409, "that was confirmed too long ago, or is being done; count again");
  audit(by, in, name_of(plan->what), "jobs that fit: " + plan->filter, made->changed);
  return *made;
}

}  // namespace

void add_changes(http::route_group to, site::state& of) {
  to.post("/jobs/{id}/{action}", [&of](http::request& in) { return change_one(of, in); });
  to.post("/queues/pause", [&of](http::request& in) { return set_paused(of, in, true); });
  to.post("/queues/resume", [&of](http::request& in) { return set_paused(of, in, false); });
  to.post("/limits/set", [&of](http::request& in) { return set_limit(of, in); });
  to.post("/limits/release", [&of](http::request& in) { return release_limit(of, in); });
  to.post("/schedules/pause", [&of](http::request& in) { return change_schedule(of, in, true); });
  to.post("/schedules/resume", [&of](http::request& in) { return change_schedule(of, in, false); });
  to.post("/schedules/run", [&of](http::request& in) { return fire(of, in); });
  to.post("/bulk/count", [&of](http::request& in) { return count_many(of, in); });
  to.post("/bulk/run", [&of](http::request& in) { return change_many(of, in); });
}

}  // namespace weft::inline v1::dashboard
