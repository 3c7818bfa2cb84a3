#include "cli/jobs_commands.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>

#include "cli/jobs_change.hpp"
#include "cli/jobs_push.hpp"
#include "cli/jobs_read.hpp"
#include "cli/jobs_watch.hpp"
#include "cli/option_values.hpp"
#include "cli/work.hpp"

namespace weft::cli {

namespace {

constexpr std::size_t listed_at_once_max = 10'000;

/// The commands of `weft jobs` share their options; one of them is chosen.
struct jobs_commands {
  std::shared_ptr<jobs_options> options = std::make_shared<jobs_options>();
  std::shared_ptr<command> chosen = std::make_shared<command>();
};

CLI::App* add(CLI::App& to, const jobs_commands& all, const char* name, const char* purpose,
              int (*run)(const jobs_options&)) {
  CLI::App* const added = to.add_subcommand(name, purpose);
  add_database(*added, all.options->store);
  added->parse_complete_callback(
      [chosen = all.chosen, options = all.options, run] { *chosen = [=] { return run(*options); }; });
  return added;
}

void add_keys(CLI::App& to, jobs_options& options) {
  to.add_option("--keys", options.keys,
                "Key file, to show what only the signed envelope says; else $WEFT_KEYS; none is needed");
}

void add_filter(CLI::App& to, jobs_options& options) {
  to.add_option_function<std::string>(
      "--state", [&options](const std::string& name) { options.state = state_of(name); },
      "Only jobs in this state");
  to.add_option("--queue", options.queue, "Only jobs of this queue");
  to.add_option("--tag", options.tag, "Only jobs with this tag");
}

void add_ids(CLI::App& to, jobs_options& options) {
  to.add_option_function<std::vector<std::string>>(
      "id",
      [&options](const std::vector<std::string>& all) {
        for (const auto& one : all) options.ids.push_back(job_id_of(one));
      },
      "Ids of jobs");
}

void add_safeguards(CLI::App& to, jobs_options& options) {
  auto* const yes = to.add_flag("-y,--yes", options.yes, "Do not ask");
  to.add_flag("-n,--dry-run", options.dry_run, "Say how many, and change nothing")->excludes(yes);
}

void add_list(CLI::App& to, const jobs_commands& all) {
  jobs_options& options = *all.options;
  auto* const list = add(to, all, "list", "Show jobs, newest first", &run_jobs_list);
  add_filter(*list, options);
  list->add_option_function<std::string>(
      "--before", [&options](const std::string& id) { options.before = job_id_of(id); },
      "Only jobs older than this one: for the next page");
  list->add_option("--limit", options.limit, "So many jobs; 100 unless said")
      ->check(CLI::Range(std::size_t{1}, listed_at_once_max));
  add_keys(*list, options);
  add_json(*list, options.as_json);
}

void add_show(CLI::App& to, const jobs_commands& all) {
  auto* const show =
      add(to, all, "show", "Show a job with its attempts, their errors and logs", &run_jobs_show);
  add_ids(*show, *all.options);
  show->get_option("id")->required()->expected(1);
  add_keys(*show, *all.options);
  add_json(*show, all.options->as_json);
}

void add_change(CLI::App& to, const jobs_commands& all, const char* name, const char* purpose,
                const char* usual, int (*run)(const jobs_options&)) {
  jobs_options& options = *all.options;
  auto* const change = add(to, all, name, purpose, run);
  add_ids(*change, options);
  add_filter(*change, options);
  change->add_flag("--all", options.all, usual);
  add_safeguards(*change, options);
  add_json(*change, options.as_json);
}

void add_queue_switch(CLI::App& to, const jobs_commands& all, const char* name, const char* purpose,
                      int (*run)(const jobs_options&)) {
  add(to, all, name, purpose, run)->add_option("queue", all.options->queues, "Names of queues")->required();
}

void add_purge(CLI::App& to, const jobs_commands& all) {
  jobs_options& options = *all.options;
  auto* const purge =
      add(to, all, "purge", "Delete done, dead and cancelled jobs that ended long ago", &run_jobs_purge);
  purge
      ->add_option_function<std::string>(
          "--older-than", [&options](const std::string& text) { options.older_than = span_of(text); },
          "That ended so long ago: 7d, 12h")
      ->required();
  add_safeguards(*purge, options);
  add_json(*purge, options.as_json);
}

using jobs::push_options;

jobs::limit_options limit_of(const std::string& text) {
  const auto mark = text.rfind('=');
  const std::string max = mark == std::string::npos ? "" : text.substr(mark + 1);
  jobs::limit_options limit{.key = text.substr(0, mark), .max = 0};
  const auto end = std::from_chars(max.data(), max.data() + max.size(), limit.max);
  if (end.ec != std::errc() || end.ptr != max.data() + max.size() || limit.max < 1)
    throw CLI::ValidationError("\"" + text + "\" is no limit; write KEY=NUMBER");
  return limit;
}

void add_push_options(CLI::App& to, push_options& how) {
  to.add_option("--queue", how.queue, "Where it waits; \"default\" unless said");
  to.add_option("--priority", how.priority, "Lower runs first; 0 unless said")
      ->check(CLI::Range(-32768, 32767));
  add_span(to, "--delay", how.delay, "Runs that long from now at the earliest: 5m, 2h");
  add_span(to, "--timeout", how.timeout, "Bound of one attempt: then it is ended, and has failed");
  to.add_option_function<std::string>(
      "--expires",
      [&how](const std::string& text) { how.expires = jobs::clock::system().now() + span_of(text); },
      "No attempt begins later than so long from now: then it is dead");
  to.add_option("--attempts", how.max_attempts, "Failures until it is dead; 10 unless said")
      ->check(CLI::Range(1, 1'000'000));
  to.add_option_function<std::string>(
      "--unique", [&how](const std::string& key) { how.unique = jobs::unique_options{.key = key}; },
      "Only where no other job of its queue with this key waits or runs; else prints the id of that");
  to.add_option("--tag", how.tags, "For people; several: again")->allow_extra_args(false);
  to.add_option_function<std::string>(
      "--concurrency-limit", [&how](const std::string& text) { how.limit = limit_of(text); },
      "KEY=NUMBER: so many jobs with this key run at a time, in all queues and processes");
  add_job_ids(to, "--after", how.after, "Id of a job that has to be done first; several: again");
  add_job_ids(to, "--after-end", how.after_end, "The same, but it may end in whatever way");
}

void add_push(CLI::App& to, const jobs_commands& all, std::vector<std::string> program) {
  auto options = std::make_shared<jobs_push_options>();
  options->command.arguments = std::move(program);
  auto* const push = add(to, all, "push", "Keep a program as a job, for `weft work`", nullptr);
  push->add_option("--keys", options->keys, "Key file that signs the job; else $WEFT_KEYS");
  add_push_options(*push, options->how);
  add_command(*push, options->command);
  add_json(*push, options->as_json);
  push->footer("Example: weft jobs push --keys keys --queue night --timeout 1h --exec -- backup /srv");
  push->parse_complete_callback([chosen = all.chosen, shared = all.options, options] {
    *chosen = [=] {
      options->store = shared->store;
      return run_jobs_push(*options);
    };
  });
}

void add_watch(CLI::App& to, const jobs_commands& all) {
  auto options = std::make_shared<jobs_watch_options>();
  auto* const watch =
      add(to, all, "watch", "Count again and again: a live line, or JSON lines where stdout is no terminal",
          nullptr);
  watch->add_option("--queue", options->queue, "Only jobs of this queue");
  add_span(*watch, "--interval", options->interval, "Between two looks; 1s unless said");
  watch->add_option("--count", options->count, "End after so many looks; at a signal unless said");
  watch->parse_complete_callback([chosen = all.chosen, shared = all.options, options] {
    *chosen = [=] {
      options->store = shared->store;
      return run_jobs_watch(*options);
    };
  });
}

}  // namespace

command add_work(CLI::App& to) {
  auto options = std::make_shared<work_options>();
  add_database(to, options->store);
  to.add_option("--keys", options->keys, "Key file that jobs are signed with; else $WEFT_KEYS");
  to.add_option("--queue", options->queues,
                "Where it takes jobs from, in this order; \"default\" unless said")
      ->allow_extra_args(false);
  to.add_option("--concurrency", options->concurrency, "Programs at a time; 10 unless said")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000}));
  add_span(to, "--retry-first", options->retry_first,
           "Wait after the first failed attempt, which then doubles; 1s");
  add_span(to, "--retry-longest", options->retry_longest, "Longest such wait; 1h");
  add_span(to, "--stop-grace", options->stop_grace, "What runs may go on for so long after a signal; 10s");
  add_span(to, "--kill-grace", options->kill_grace, "Between SIGTERM and SIGKILL to a program; 2s");
  to.add_option("--pass-env", options->pass, "A variable that programs get, beside PATH, HOME and the like")
      ->allow_extra_args(false);
  to.add_flag("--once", options->once, "Run what is due, and end");
  to.footer(
      "SIGTERM and SIGINT stop it in order, a second one at once: what it runs goes back to its queue.");
  return [options] { return run_work(*options); };
}

command add_jobs(CLI::App& to, std::vector<std::string> program) {
  const jobs_commands all;
  to.require_subcommand(1);
  add_push(to, all, std::move(program));
  add_list(to, all);
  add_show(to, all);
  add_json(*add(to, all, "stats", "Count the jobs of each queue and state", &run_jobs_stats),
           all.options->as_json);
  add_watch(to, all);
  add_change(to, all, "retry", "Make dead, cancelled or quarantined jobs ready again",
             "All dead jobs; with a filter not needed", &run_jobs_retry);
  add_change(to, all, "cancel", "Give waiting jobs up, and ask running ones to",
             "All jobs that have not ended; with a filter not needed", &run_jobs_cancel);
  add_queue_switch(to, all, "pause", "Start no job of a queue any more, in all processes", &run_jobs_pause);
  add_queue_switch(to, all, "resume", "Let paused queues go on", &run_jobs_resume);
  add_purge(to, all);
  return [chosen = all.chosen] { return (*chosen)(); };
}

}  // namespace weft::cli
