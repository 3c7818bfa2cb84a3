#include "cli/schedules.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/jobs/describe.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/unverified_schedule.hpp>
#include <weft/wire/json.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_push.hpp"
#include "cli/jobs_store.hpp"
#include "cli/schedules_view.hpp"
#include "cli/time_text.hpp"

namespace weft::inline v1::cli {

namespace {

using jobs::schedule_info;

constexpr std::size_t times_shown = 3;
constexpr std::size_t jobs_shown = 5;

std::vector<schedule_info> all_of(const std::shared_ptr<jobs::store>& in,
                                  const std::shared_ptr<const wire::key_ring>& keys) {
  if (keys != nullptr) return jobs::queue(in, {.keys = keys}).schedules();
  std::vector<schedule_info> all;
  for (const auto& row : in->schedules()) all.push_back(unverified(row));
  return all;
}

[[noreturn]] void throw_not_there(const std::string& name) {
  throw error(errc::not_found,
              "there is no schedule \"" + name + "\" in this database; `weft schedules list` has all");
}

const schedule_info& named(const std::vector<schedule_info>& all, const std::string& name) {
  const auto found = std::ranges::find(all, name, &schedule_info::name);
  if (found == all.end()) throw_not_there(name);
  return *found;
}

std::vector<jobs::moment> next_times(const schedule_info& of, jobs::moment now) {
  std::vector<jobs::moment> times;
  const auto when = cron_of(of);
  if (!when || of.paused || !of.problem.empty()) return times;
  for (jobs::moment after = std::max(of.last, now); times.size() < times_shown;) {
    after = when->next_after(after);
    times.push_back(after);
  }
  return times;
}

std::vector<jobs::job_info> newest_jobs(jobs::store& in, const std::string& schedule,
                                        const wire::key_ring* keys) {
  std::vector<jobs::job_info> all;
  for (auto& one :
       in.list({.queue = {}, .tag = "schedule:" + schedule, .state = {}, .before = {}, .limit = jobs_shown}))
    all.push_back(describe(std::move(one), keys));
  return all;
}

/// Does `change` to each, and says which are not there.
template <typename Change>
int change_each(const schedules_options& options, const std::string& command, Change change) {
  return guarded(command, [&] {
    const auto store = open_existing(options.store);
    for (const auto& name : options.names) {
      if (!change(*store, name)) throw_not_there(name);
    }
    return exit_ok;
  });
}

/// Lets a paused one go on with its next time.

bool resume(jobs::store& in, const std::string& name) {
  return resume_unverified(in, name, in.clock().now());
}

}  // namespace

int run_schedules_list(const schedules_options& options) {
  return guarded("weft schedules list", [&] {
    const auto keys = keys_where_given(options.keys);
    const auto store = open_existing(options.store);
    const auto all = all_of(store, keys);
    if (options.as_json) {
      shown_schedules shown;
      for (const auto& one : all) shown.schedules.push_back(view_of(one, keys != nullptr));
      std::puts(wire::to_json(shown).c_str());
    } else {
      std::fputs(list_text(all, keys != nullptr, store->clock().now()).c_str(), stdout);
    }
    return exit_ok;
  });
}

int run_schedules_show(const schedules_options& options) {
  return guarded("weft schedules show", [&] {
    const auto keys = keys_where_given(options.keys);
    const auto store = open_existing(options.store);
    const auto all = all_of(store, keys);
    const schedule_info& one = named(all, options.names.front());
    const auto now = store->clock().now();
    const auto times = next_times(one, now);
    const auto newest = newest_jobs(*store, one.name, keys.get());
    if (options.as_json) {
      shown_schedule_details shown{.schedule = view_of(one, keys != nullptr), .times = {}, .jobs = {}};
      for (const auto time : times) shown.times.push_back(time_text(time));
      for (const auto& job : newest) shown.jobs.push_back(view_of(job, now));
      std::puts(wire::to_json(shown).c_str());
    } else {
      std::fputs(details_text(one, keys != nullptr, times, newest, now).c_str(), stdout);
    }
    return exit_ok;
  });
}

int run_schedules_add(const schedules_options& options) {
  if (options.command.arguments.empty()) {
    std::fputs("weft schedules add: no command; write --exec -- COMMAND ARGUMENT...\n", stderr);
    return exit_usage;
  }
  return guarded("weft schedules add", [&] {
    const jobs::cron when(options.cron, jobs::time_zone(options.zone));
    jobs::queue queue(options.store, {.keys = needed_keys(options.keys)});
    queue.schedule(options.names.front(), when, jobs::run_command(with_variables_of_here(options.command)),
                   options.how);
    return exit_ok;
  });
}

int run_schedules_pause(const schedules_options& options) {
  return change_each(options, "weft schedules pause",
                     [](jobs::store& in, const std::string& name) { return in.pause_schedule(name); });
}

int run_schedules_resume(const schedules_options& options) {
  return change_each(options, "weft schedules resume", &resume);
}

int run_schedules_remove(const schedules_options& options) {
  return change_each(options, "weft schedules remove",
                     [](jobs::store& in, const std::string& name) { return in.remove_schedule(name); });
}

int run_schedules_run_now(const schedules_options& options) {
  return guarded("weft schedules run-now", [&] {
    jobs::queue queue(open_existing(options.store), {.keys = needed_keys(options.keys)});
    const auto id = queue.fire_now(options.names.front());
    if (!id) throw_not_there(options.names.front());
    print_pushed(*id, options.as_json);
    return exit_ok;
  });
}

}  // namespace weft::inline v1::cli
