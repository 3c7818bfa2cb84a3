#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/dump.hpp>
#include <weft/http/event_stream.hpp>
#include <weft/http/status_error.hpp>
#include <weft/jobs/describe.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/search.hpp>
#include <weft/jobs/unverified_schedule.hpp>
#include <weft/jobs/view.hpp>
#include <weft/jobs/why_waiting.hpp>
#include <weft/log/escape.hpp>

#include "core/hex.hpp"
#include "dashboard/error_groups.hpp"
#include "dashboard/fiber_view.hpp"
#include "dashboard/site_state.hpp"

namespace weft::inline v1::dashboard {

namespace {

using namespace std::chrono_literals;

constexpr auto search_time = 60ms;  // of an answer, which then says where to go on
constexpr std::size_t listed_max = 200;
constexpr std::size_t limits_shown = 50;  // each counts up to limit_waits_counted_max jobs
constexpr std::size_t steps_shown = 100;
constexpr std::size_t running_shown = 200;
constexpr std::size_t dumped_max = 50;  // stacks, whose frames are named one by one
constexpr std::size_t times_shown = 3;
constexpr auto look_for_end = 500ms;  // of a stream, while there is nothing to send

struct found_jobs : jobs::shown_list {
  std::int64_t looked_at = 0;
  std::optional<std::string> back_to;  ///< when the last one was pushed that was looked at
};
WEFT_DESCRIBE(found_jobs, schema, jobs, next, looked_at, back_to);

struct listed_limits {
  std::vector<jobs::shown_limit> limits;
  std::optional<std::string> next;  ///< for the next page: `after`, the last key as bytes
};
WEFT_DESCRIBE(listed_limits, limits, next);

struct listed_steps {
  std::vector<jobs::shown_step> steps;
  std::int64_t total = 0;
};
WEFT_DESCRIBE(listed_steps, steps, total);

struct worker_details {
  jobs::shown_worker worker;
  std::string build;
  std::vector<jobs::shown_job> jobs;
};
WEFT_DESCRIBE(worker_details, worker, build, jobs);

struct schedule_details {
  jobs::shown_schedule schedule;
  std::vector<std::string> times;  ///< the next ones
};
WEFT_DESCRIBE(schedule_details, schedule, times);

jobs::job_id id_of(const http::request& in) {
  const auto id = jobs::job_id_from_string(in.param("id"));
  if (!id) throw http::status_error(404, "that is no id of a job");
  return *id;
}

jobs::shown_job described(site::state& of, jobs::stored_job job) {
  return view_of(describe(std::move(job), of.options.keys.get(), of.options.tenant), of.now());
}

found_jobs list_jobs(site::state& of, const http::request& in) {
  std::optional<jobs::job_id> before;
  if (const auto text = in.query("before")) {
    before = jobs::job_id_from_string(*text);
    if (!before) throw http::status_error(400, "before is no id of a job");
  }
  const auto limit = std::clamp<std::size_t>(in.query<std::size_t>("limit").value_or(50), 1, listed_max);
  auto page = jobs::search(of.in(), filter_in(of, in), before, limit, steady_clock::now() + search_time);
  found_jobs made;
  made.looked_at = static_cast<std::int64_t>(page.looked_at);
  if (page.next) made.next = to_string(*page.next);
  for (auto& job : page.jobs) made.jobs.push_back(described(of, std::move(job)));
  if (page.next) {
    if (const auto last = of.in().find(*page.next)) made.back_to = jobs::time_text(last->created);
  }
  return made;
}

/// JSON; empty where there is none. Why it cannot be read becomes a problem of the job.
std::string result_of(site::state& of, jobs::job_info& job) {
  if (of.options.keys == nullptr || job.state != jobs::job_state::done) return {};
  try {
    return jobs::queue(of.store, {.keys = of.options.keys, .tenant = of.options.tenant})
        .result_json(job.id)
        .value_or("");
  } catch (const error& bad) {
    if (job.problem.empty()) job.problem = bad.message();
    return {};
  }
}

jobs::shown_details show_job(site::state& of, const http::request& in) {
  auto found = of.in().find(id_of(in));
  if (!found) throw http::status_error(404, "there is no such job; it may have been deleted");
  auto why = jobs::why_waiting(of.in(), *found, of.now());
  auto info = describe(std::move(*found), of.options.keys.get(), of.options.tenant, of.options.shown_context);
  const std::string result = result_of(of, info);
  const auto* const keys = of.options.keys.get();
  const auto steps = keys == nullptr ? jobs::job_steps() : steps_of(of.in(), info.id, *keys);
  return details_of(info, result, std::move(why), of.now(), steps);
}

listed_steps list_steps(site::state& of, const http::request& in) {
  listed_steps made;
  if (of.options.keys == nullptr) return made;
  const auto found =
      steps_of(of.in(), id_of(in), *of.options.keys, in.query<std::size_t>("skip").value_or(0), steps_shown);
  for (const auto& one : found.steps) made.steps.push_back(view_of(one));
  made.total = static_cast<std::int64_t>(found.total);
  return made;
}

std::vector<schedule_details> list_schedules(site::state& of) {
  const bool has_keys = of.options.keys != nullptr;
  std::vector<jobs::schedule_info> all;
  if (has_keys) {
    all = jobs::queue(of.store, {.keys = of.options.keys, .tenant = of.options.tenant}).schedules();
  } else {
    for (const auto& row : of.in().schedules()) all.push_back(jobs::unverified(row));
  }
  std::vector<schedule_details> made;
  for (const auto& one : all) {
    schedule_details details{view_of(one, has_keys), {}};
    const auto when = one.paused || !one.problem.empty() ? std::nullopt : cron_of(one);
    jobs::moment after = std::max(one.last, of.now());
    while (when && details.times.size() < times_shown) {
      after = when->next_after(after);
      details.times.push_back(jobs::time_text(after));
    }
    made.push_back(std::move(details));
  }
  return made;
}

std::vector<worker_details> list_workers(site::state& of) {
  std::vector<worker_details> made;
  for (const auto& row : of.in().workers()) made.push_back({view_of(row), log::to_utf8(row.build), {}});
  for (auto& job :
       of.in().list({.queue = {}, .state = jobs::job_state::running, .before = {}, .limit = running_shown})) {
    const auto shown = described(of, std::move(job));
    const auto owner = std::ranges::find(made, shown.owner, [](const auto& one) { return one.worker.id; });
    if (owner != made.end()) owner->jobs.push_back(shown);
  }
  return made;
}

listed_limits list_limits(site::state& of, const http::request& in) {
  const auto after = bytes_of_hex(in.query("after").value_or(""));
  if (!after) throw http::status_error(400, "after is not what an answer gave as its next");
  const auto all = of.in().limits(*after, limits_shown);
  listed_limits made;
  for (const auto& one : all) made.limits.push_back(view_of(one));
  if (all.size() == limits_shown) made.next = hex_of(all.back().is.key);
  return made;
}

void check_shows_fibers(const site::state& of) {
  if (!of.options.shows_fibers) throw http::status_error(404, "fibers are not shown here");
}

shown_fibers list_fibers_here(site::state& of) {
  check_shows_fibers(of);
  return view_of_fibers(listed_max);
}

/// Their stacks, for people: whoever may change something may see them.
void dump_fibers_here(site::state& of, const http::request& in, http::response& out) {
  check_shows_fibers(of);
  if (of.door.who(in).role != role::operates) throw http::status_error(403, "stacks are for operators");
  out.content_type("text/plain; charset=utf-8").body(log::to_utf8(dump_fibers({.fibers_max = dumped_max})));
}

/// Counts a stream as long as it lives.
class stream_place {
 public:
  explicit stream_place(site::state& of) : of_(of) {
    if (++of_.streams > of_.options.streams_max) {
      --of_.streams;
      throw http::status_error(503, "too many pages are kept up to date").header("Retry-After", "30");
    }
  }
  stream_place(const stream_place&) = delete;
  stream_place& operator=(const stream_place&) = delete;
  ~stream_place() { --of_.streams; }

 private:
  site::state& of_;
};

bool is_logged_in(site::state& of, const http::request& in) {
  try {
    (void)of.door.who(in);
    return true;
  } catch (const http::status_error&) {
    return false;
  }
}

/// Sends each look at the store, until the client or its session has gone.
void stream_looks(site::state& of, http::request& in, http::response& out) {
  const stream_place place(of);
  std::int64_t sent = in.query<std::int64_t>("after").value_or(0);
  std::uint64_t seen = 0;
  http::event_stream events(in, out);
  while (events.is_open()) {
    const auto newest = of.samples.wait_newer(seen, steady_clock::now() + look_for_end);
    if (newest == seen) continue;
    seen = newest;
    if (!is_logged_in(of, in)) {
      events.send({.data = "{}", .name = "over"});
      return;
    }
    const overview shown = of.samples.shown(sent);
    if (!shown.samples.empty()) sent = shown.samples.back().at;
    if (!events.send({.data = wire::to_json(shown), .name = "look"})) return;
  }
}

}  // namespace

void add_reads(http::route_group to, site::state& of) {
  to.get("/overview",
         [&of](http::request& in) { return of.samples.shown(in.query<std::int64_t>("after").value_or(0)); });
  to.get("/live", [&of](http::request& in, http::response& out) { stream_looks(of, in, out); },
         {.handler_timeout = 0ms, .is_always_admitted = true});
  to.get("/jobs", [&of](http::request& in) { return list_jobs(of, in); });
  to.get("/jobs/{id}", [&of](http::request& in) { return show_job(of, in); });
  to.get("/jobs/{id}/steps", [&of](http::request& in) { return list_steps(of, in); });
  to.get("/schedules", [&of] { return list_schedules(of); });
  to.get("/limits", [&of](http::request& in) { return list_limits(of, in); });
  to.get("/workers", [&of] { return list_workers(of); });
  to.get("/fibers", [&of] { return list_fibers_here(of); });
  to.get("/fibers/dump", [&of](http::request& in, http::response& out) { dump_fibers_here(of, in, out); });
  to.get("/errors", [&of] { return group_errors(of.in(), steady_clock::now() + search_time); });
}

}  // namespace weft::inline v1::dashboard
