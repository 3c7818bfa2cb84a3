#include "cli/jobs_change.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>

#include <weft/core/error.hpp>
#include <weft/fiber/map_limited.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/change.hpp>
#include <weft/log/escape.hpp>
#include <weft/wire/json.hpp>

#include "cli/confirmation.hpp"
#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"
#include "core/counted.hpp"

namespace weft::inline v1::cli {

namespace {

using jobs::job_id;
using jobs::job_state;

/// Those that ask together share the store's transactions.
constexpr std::size_t changes_at_once = 64;
constexpr std::size_t purged_at_once = 1000;

/// A change of jobs, one by one.
struct change {
  const char* command;
  const char* verb;  ///< of the question
  const char* done;  ///< of the report
  jobs::job_change what;
  bool asks_always = false;  ///< also where the jobs are named
};

constexpr change retry_change{"weft jobs retry", "Retry", "made ready again", jobs::job_change::retry};
constexpr change cancel_change{"weft jobs cancel", "Cancel", "cancelled, or asked to give up",
                               jobs::job_change::cancel};

constexpr change delete_change{"weft jobs delete", "Delete", "deleted", jobs::job_change::remove, true};

/// A job that is to be changed; of those that a filter chose, the state that was asked about.
struct chosen_job {
  job_id id{};
  std::optional<job_state> seen = {};
};

std::vector<chosen_job> chosen_by_filter(jobs::store& from, const jobs_options& options, const change& what) {
  std::vector<chosen_job> chosen;
  const auto take = [&](job_state state) {
    for_each_page(from, {.queue = options.queue, .tag = options.tag, .state = state, .before = {}},
                  [&](const auto& page) {
                    for (const auto& one : page) chosen.push_back({one.id, one.state});
                  });
  };
  if (options.state) {
    take(*options.state);
  } else {
    for (const job_state state : usual_states(what.what)) take(state);
  }
  std::ranges::stable_sort(chosen, {}, &chosen_job::id);  // the oldest first
  const auto twice = std::ranges::unique(chosen, {}, &chosen_job::id);
  chosen.erase(twice.begin(), twice.end());
  return chosen;
}

std::vector<chosen_job> chosen_by_name(const std::vector<job_id>& ids) {
  std::vector<chosen_job> chosen;
  for (const job_id id : ids) chosen.push_back({id});
  return chosen;
}

void apply_to(jobs::store& in, const change& what, const std::vector<chosen_job>& chosen,
              change_report& report) {
  std::vector<std::string> reasons;
  run([&] {
    reasons = map_limited(chosen, changes_at_once, [&](const chosen_job& one) {
      return change_job(in, what.what, one.id, in.clock().now(), one.seen);
    });
  });
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (reasons[i].empty()) {
      ++report.changed;
    } else {
      report.left.push_back({to_string(chosen[i].id), reasons[i]});
    }
  }
}

void print(const change_report& report, const char* done, bool as_json) {
  if (as_json) {
    std::puts(wire::to_json(report).c_str());
    return;
  }
  const auto number = counted(report.dry_run ? report.matched : report.changed, "job");
  std::printf("%s %s%s\n", number.c_str(), report.dry_run ? "would be " : "", done);
  for (const auto& one : report.left) {
    std::string line = "job " + one.id + ": ";
    log::append_escaped(line, one.why);
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

/// Asks, where there is a question, and changes them.
int change_chosen(jobs::store& in, const jobs_options& options, const change& what,
                  const std::vector<chosen_job>& chosen, const std::string& question) {
  change_report report{
      .matched = static_cast<std::int64_t>(chosen.size()), .dry_run = options.dry_run, .left = {}};
  if (!options.dry_run && !chosen.empty()) {
    const int asked = question.empty() ? exit_ok : ask_first(options.yes, what.command, question);
    if (asked != exit_ok) return asked;
    apply_to(in, what, chosen, report);
  }
  print(report, what.done, options.as_json);
  const bool named_one_left = !options.ids.empty() && !report.left.empty();
  const bool none = options.dry_run ? report.matched == 0 : report.changed == 0;
  return none || named_one_left ? exit_failed : exit_ok;
}

std::string question_of(const change& what, std::size_t count) {
  std::string question = std::string(what.verb) + ' ' + counted(count, "job");
  if (what.what == jobs::job_change::remove) question += " for good";
  return question + '?';
}

int change_jobs(const jobs_options& options, const change& what) {
  const bool is_filtered = options.all || options.state || !options.queue.empty() || !options.tag.empty();
  if (is_filtered != options.ids.empty()) {
    std::fprintf(stderr, "%s: give either ids of jobs, or some of --state, --queue, --tag, or --all\n",
                 what.command);
    return exit_usage;
  }
  return guarded(what.command, [&] {
    const auto store = open_existing(options.store);
    const auto chosen = is_filtered ? chosen_by_filter(*store, options, what) : chosen_by_name(options.ids);
    const bool asks = is_filtered || what.asks_always;
    return change_chosen(*store, options, what, chosen,
                         asks ? question_of(what, chosen.size()) : std::string());
  });
}

int set_paused(const jobs_options& options, const char* command, bool paused) {
  return guarded(command, [&] {
    const auto store = open_existing(options.store);
    for (const auto& queue : options.queues) {
      note_unknown_queue(*store, command, queue);
      store->set_paused(queue, paused);
    }
    return exit_ok;
  });
}

bool is_old(const jobs::stored_job& one, jobs::moment before) {
  return one.finished && *one.finished < before;
}

std::int64_t count_old(jobs::store& in, jobs::moment before) {
  std::int64_t count = 0;
  for (const auto state : {job_state::done, job_state::dead, job_state::cancelled}) {
    for_each_page(in, {.queue = {}, .state = state, .before = {}}, [&](const auto& page) {
      count += std::count_if(page.begin(), page.end(), [&](const auto& one) { return is_old(one, before); });
    });
  }
  return count;
}

std::int64_t purge(jobs::store& in, jobs::moment before) {
  std::int64_t count = 0;
  for (;;) {
    const auto deleted = in.purge(before, in.clock().now(), purged_at_once);
    if (deleted == 0) return count;
    count += static_cast<std::int64_t>(deleted);
  }
}

}  // namespace

int run_jobs_retry(const jobs_options& options) { return change_jobs(options, retry_change); }

int run_jobs_cancel(const jobs_options& options) { return change_jobs(options, cancel_change); }

int run_jobs_delete(const jobs_options& options) { return change_jobs(options, delete_change); }

int run_batches_cancel(const jobs_options& options) {
  change what = cancel_change;
  what.command = "weft batches cancel";
  return guarded(what.command, [&] {
    const auto store = open_existing(options.store);
    const job_id batch = options.ids.front();
    (void)counts_of_batch(*store, batch);
    jobs_options of_batch = options;
    of_batch.tag = jobs::batch_tag(batch);
    auto chosen = chosen_by_filter(*store, of_batch, what);
    // The store sees it before the others, whose end would make it ready.
    if (const auto last = store->find(batch); last && !last->finished) chosen.insert(chosen.begin(), {batch});
    const auto number = counted(chosen.size(), "job");
    return change_chosen(*store, options, what, chosen, "Cancel the batch, which has " + number + " left?");
  });
}

int run_jobs_pause(const jobs_options& options) { return set_paused(options, "weft jobs pause", true); }

int run_jobs_resume(const jobs_options& options) { return set_paused(options, "weft jobs resume", false); }

int run_jobs_purge(const jobs_options& options) {
  return guarded("weft jobs purge", [&] {
    const auto store = open_existing(options.store);
    const auto before = store->clock().now() - *options.older_than;
    change_report report{.matched = count_old(*store, before), .dry_run = options.dry_run, .left = {}};
    if (!options.dry_run && report.matched > 0) {
      const int asked =
          ask_first(options.yes, "weft jobs purge",
                    "Delete " + std::to_string(report.matched) + " done, dead and cancelled jobs for good?");
      if (asked != exit_ok) return asked;
      report.changed = purge(*store, before);
    }
    print(report, "deleted", options.as_json);
    return report.matched == 0 ? exit_failed : exit_ok;
  });
}

}  // namespace weft::inline v1::cli
