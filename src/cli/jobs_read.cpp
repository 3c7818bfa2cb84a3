#include "cli/jobs_read.hpp"

#include <cstdio>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/jobs/describe.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/why_waiting.hpp>
#include <weft/wire/json.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_follow.hpp"
#include "cli/jobs_store.hpp"
#include "cli/jobs_view.hpp"

namespace weft::inline v1::cli {

namespace {

std::vector<jobs::job_info> page_of(jobs::store& in, const jobs_options& options,
                                    const wire::key_ring* keys) {
  std::vector<jobs::job_info> all;
  for (auto& one : in.list({.queue = options.queue,
                   .tag = options.tag,
                   .state = options.state,
                   .before = options.before,
                   .limit = options.limit})) {
    all.push_back(describe(std::move(one), keys));
  }
  return all;
}

shown_list list_of(const std::vector<jobs::job_info>& jobs, std::size_t limit, jobs::moment now) {
  shown_list made;
  for (const auto& one : jobs) made.jobs.push_back(view_of(one, now));
  if (jobs.size() >= limit && !jobs.empty()) made.next = to_string(jobs.back().id);
  return made;
}

/// JSON; empty where there is none. Why it cannot be read becomes a problem of the job.
std::string result_of(std::shared_ptr<jobs::store> store, std::shared_ptr<const wire::key_ring> keys,
                      jobs::job_info& of) {
  if (keys == nullptr) return {};
  try {
    return jobs::queue(std::move(store), {.keys = std::move(keys)}).result_json(of.id).value_or("");
  } catch (const error& bad) {
    if (of.problem.empty()) of.problem = bad.message();
    return {};
  }
}

}  // namespace

int run_jobs_list(const jobs_options& options) {
  if (options.follow) return run_jobs_follow(options);
  return guarded("weft jobs list", [&] {
    const auto keys = keys_where_given(options.keys);
    const auto store = open_existing(options.store);
    const auto jobs = page_of(*store, options, keys.get());
    if (jobs.empty() && !options.queue.empty()) note_unknown_queue(*store, "weft jobs list", options.queue);
    const auto now = store->clock().now();
    const auto text =
        options.as_json ? wire::to_json(list_of(jobs, options.limit, now)) + '\n' : list_text(jobs, now);
    std::fputs(text.c_str(), stdout);
    return exit_ok;
  });
}

int run_jobs_show(const jobs_options& options) {
  return guarded("weft jobs show", [&] {
    const auto keys = keys_where_given(options.keys);
    const auto store = open_existing(options.store);
    auto found = store->find(options.ids.front());
    if (!found) {
      throw error(errc::not_found,
                  "there is no job " + to_string(options.ids.front()) + " in " + options.store);
    }
    const auto now = store->clock().now();
    auto why = jobs::why_waiting(*store, *found, now);
    auto info = describe(std::move(*found), keys.get());
    const auto result = result_of(store, keys, info);
    const auto steps = keys == nullptr ? jobs::job_steps() : steps_of(*store, info.id, *keys);
    const auto text = options.as_json
                          ? wire::to_json(details_of(info, result, std::move(why), now, steps)) + '\n'
                          : details_text(info, result, why, now);
    std::fputs(text.c_str(), stdout);
    return exit_ok;
  });
}

int run_jobs_stats(const jobs_options& options) {
  return guarded("weft jobs stats", [&] {
    const auto stats = stats_of(*open_existing(options.store));
    const auto text = options.as_json ? wire::to_json(stats) + '\n' : stats_text(stats);
    std::fputs(text.c_str(), stdout);
    return exit_ok;
  });
}

}  // namespace weft::inline v1::cli
