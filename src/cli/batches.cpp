#include "cli/batches.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/jobs/clock.hpp>
#include <weft/jobs/describe.hpp>
#include <weft/log/escape.hpp>
#include <weft/wire/json.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"
#include "cli/text_table.hpp"
#include "cli/time_text.hpp"

namespace weft::inline v1::cli {

namespace {

using jobs::job_id;
using jobs::job_state;
using rows = std::vector<std::vector<std::string>>;

constexpr std::size_t given_up_shown = 10;

/// A batch, and its last job where that is still kept.
struct found_batch {
  job_id id{};
  jobs::state_counts counts;
  std::optional<jobs::job_info> last;
};

found_batch read_batch(jobs::store& in, job_id id, const wire::key_ring* keys) {
  found_batch batch{id, counts_of_batch(in, id), std::nullopt};
  if (auto last = in.find(id)) batch.last = describe(std::move(*last), keys);
  return batch;
}

shown_batch batch_view_of(const found_batch& from, jobs::moment now) {
  shown_batch made{.id = to_string(from.id), .jobs = from.counts, .last = {}};
  if (from.last) made.last = view_of(*from.last, now);
  return made;
}

/// The newest jobs of the batch that were given up.
std::vector<jobs::job_info> given_up_of(jobs::store& in, job_id id, const wire::key_ring* keys) {
  std::vector<jobs::job_info> all;
  for (const auto state : {job_state::dead, job_state::cancelled, job_state::quarantined}) {
    for (auto& one : in.list({.queue = {},
                     .tag = jobs::batch_tag(id),
                     .state = state,
                     .before = {},
                     .limit = given_up_shown}))
      all.push_back(describe(std::move(one), keys));
  }
  std::ranges::sort(all, std::ranges::greater(), &jobs::job_info::id);
  if (all.size() > given_up_shown) all.resize(given_up_shown);
  return all;
}

std::string last_text(const found_batch& from) {
  return from.last ? std::string(to_string(from.last->state)) : "deleted";
}

std::string closure_text(const found_batch& from) {
  if (!from.last) return "-";
  std::string text;
  log::append_escaped(text, from.last->closure.substr(0, from.last->closure.find('(')));
  return text;
}

std::string table_of(const std::vector<found_batch>& batches, jobs::moment now) {
  rows all{{"BATCH", "AGE", "JOBS", "WAITING", "RUNNING", "DONE", "GIVEN-UP", "LAST-JOB", "CLOSURE"}};
  for (const auto& one : batches) {
    const auto& jobs = one.counts;
    const auto waiting = jobs.scheduled + jobs.ready + jobs.blocked;
    all.push_back({to_string(one.id), one.last ? relative_text(one.last->created - now) : "-",
                   std::to_string(jobs.total()), std::to_string(waiting), std::to_string(jobs.running),
                   std::to_string(jobs.done), std::to_string(jobs.ended() - jobs.done), last_text(one),
                   closure_text(one)});
  }
  return text_table(all);
}

std::string details_of(const found_batch& from, const std::vector<jobs::job_info>& given_up,
                       jobs::moment now) {
  rows all{{"batch", to_string(from.id)},
           {"last job", last_text(from) + ", " + closure_text(from)},
           {"jobs", std::to_string(from.counts.total())}};
  const auto add = [&](const char* state, std::int64_t count) {
    if (count > 0) all.push_back({std::string("  ") + state, std::to_string(count)});
  };
  add("scheduled", from.counts.scheduled);
  add("ready", from.counts.ready);
  add("blocked", from.counts.blocked);
  add("running", from.counts.running);
  add("done", from.counts.done);
  add("dead", from.counts.dead);
  add("cancelled", from.counts.cancelled);
  add("quarantined", from.counts.quarantined);
  return text_table(all) + (given_up.empty() ? "" : '\n' + list_text(given_up, now));
}

}  // namespace

int run_batches_list(const jobs_options& options) {
  return guarded("weft batches list", [&] {
    const auto keys = keys_where_given(options.keys);
    const auto store = open_existing(options.store);
    std::vector<found_batch> batches;
    for (const auto id : jobs::batches(*store, options.before, options.limit))
      batches.push_back(read_batch(*store, id, keys.get()));
    const auto now = store->clock().now();
    if (!options.as_json) {
      std::fputs(table_of(batches, now).c_str(), stdout);
      return exit_ok;
    }
    shown_batches shown;
    for (const auto& one : batches) shown.batches.push_back(batch_view_of(one, now));
    if (batches.size() == options.limit) shown.next = to_string(batches.back().id);
    std::puts(wire::to_json(shown).c_str());
    return exit_ok;
  });
}

int run_batches_show(const jobs_options& options) {
  return guarded("weft batches show", [&] {
    const auto keys = keys_where_given(options.keys);
    const auto store = open_existing(options.store);
    const auto id = options.ids.front();
    const auto batch = read_batch(*store, id, keys.get());
    const auto given_up = given_up_of(*store, id, keys.get());
    const auto now = store->clock().now();
    if (!options.as_json) {
      std::fputs(details_of(batch, given_up, now).c_str(), stdout);
      return exit_ok;
    }
    shown_batch_details shown{.batch = batch_view_of(batch, now), .given_up = {}};
    for (const auto& one : given_up) shown.given_up.push_back(view_of(one, now));
    std::puts(wire::to_json(shown).c_str());
    return exit_ok;
  });
}

}  // namespace weft::inline v1::cli
