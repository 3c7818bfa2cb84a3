#include "cli/jobs_commands.hpp"

#include <CLI/CLI.hpp>
#include <climits>
#include <memory>

#include "cli/jobs_change.hpp"
#include "cli/jobs_push.hpp"
#include "cli/jobs_read.hpp"
#include "cli/jobs_watch.hpp"
#include "cli/option_values.hpp"
#include "cli/settings.hpp"
#include "cli/work.hpp"

namespace weft::inline v1::cli {

namespace {

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

void add_filter(CLI::App& to, jobs_options& options) {
  to.add_option_function<std::string>(
        "--state", [&options](const std::string& name) { options.state = state_of(name); },
        "Only jobs in this state")
      ->type_name("STATE");
  to.add_option("--queue", options.queue, "Only jobs of this queue")->type_name("QUEUE");
  to.add_option("--tag", options.tag, "Only jobs with this tag")->type_name("TAG");
}

void add_list(CLI::App& to, const jobs_commands& all) {
  jobs_options& options = *all.options;
  auto* const list = add(to, all, "list", "Show jobs, newest first", &run_jobs_list);
  add_filter(*list, options);
  auto* const before =
      list->add_option_function<std::string>(
              "--before", [&options](const std::string& id) { options.before = job_id_of(id); },
              "Only jobs older than this one: for the next page")
          ->type_name("ID");
  list->add_option("--limit", options.limit, "So many jobs; 100 unless said")
      ->type_name("COUNT")
      ->check(CLI::Range(std::size_t{1}, listed_at_once_max));
  list->add_flag("-f,--follow", options.follow, "Go on with jobs that come or change, a line each")
      ->excludes(before);
  add_reading_keys(*list, options.keys);
  add_json(*list, options.as_json);
}

void add_show(CLI::App& to, const jobs_commands& all) {
  auto* const show =
      add(to, all, "show", "Show a job with its attempts, their errors and logs", &run_jobs_show);
  add_ids(*show, all.options->ids);
  show->get_option("id")->required()->expected(1);
  add_reading_keys(*show, all.options->keys);
  add_json(*show, all.options->as_json);
}

void add_change(CLI::App& to, const jobs_commands& all, const char* name, const char* purpose,
                const char* usual, int (*run)(const jobs_options&)) {
  jobs_options& options = *all.options;
  auto* const change = add(to, all, name, purpose, run);
  add_ids(*change, options.ids);
  add_filter(*change, options);
  change->add_flag("--all", options.all, usual);
  add_safeguards(*change, options.yes, options.dry_run);
  add_json(*change, options.as_json);
}

void add_queue_switch(CLI::App& to, const jobs_commands& all, const char* name, const char* purpose,
                      int (*run)(const jobs_options&)) {
  add(to, all, name, purpose, run)
      ->add_option("queue", all.options->queues, "Names of queues")
      ->type_name("QUEUE")
      ->required();
}

void add_purge(CLI::App& to, const jobs_commands& all) {
  jobs_options& options = *all.options;
  auto* const purge =
      add(to, all, "purge", "Delete done, dead and cancelled jobs that ended long ago", &run_jobs_purge);
  purge
      ->add_option_function<std::string>(
          "--older-than", [&options](const std::string& text) { options.older_than = span_of(text); },
          "That ended so long ago: 7d, 12h")
      ->type_name("SPAN")
      ->required();
  add_safeguards(*purge, options.yes, options.dry_run);
  add_json(*purge, options.as_json);
}

using jobs::push_options;

/// Takes "KEY=" off the front of the text, and gives the limit of that key: the one that `how` has.
jobs::limit_options& limit_in(push_options& how, std::string& text, const char* form) {
  const auto mark = text.rfind('=');
  if (mark == std::string::npos || mark == 0)
    throw CLI::ValidationError("\"" + text + "\" is no limit; write " + form);
  const std::string key = text.substr(0, mark);
  if (how.limit && how.limit->key != key)
    throw CLI::ValidationError("a job has limits of one key: \"" + how.limit->key + "\", or \"" + key + "\"");
  text.erase(0, mark + 1);
  if (!how.limit) how.limit = jobs::limit_options{.key = key, .max = INT_MAX};
  return *how.limit;
}

void limit_running(push_options& how, std::string text) {
  constexpr const char* form = "KEY=NUMBER";
  auto& limit = limit_in(how, text, form);
  limit.max = count_of(text, form);
}

void limit_rate(push_options& how, std::string text) {
  constexpr const char* form = "KEY=NUMBER/SPAN, as mail=10/1s";
  auto& limit = limit_in(how, text, form);
  limit.rate = rate_of(text, form);
}

jobs::unique_options& unique_in(push_options& how) {
  if (!how.unique) how.unique.emplace();
  return *how.unique;
}

void add_push_options(CLI::App& to, jobs_push_options& options) {
  push_options& how = options.how;
  to.add_option("--queue", how.queue, "Where it waits; \"default\" unless said")->type_name("QUEUE");
  to.add_option("--priority", how.priority, "Lower runs first; 0 unless said")
      ->type_name("NUMBER")
      ->check(CLI::Range(-32768, 32767));
  auto* const delay = add_span(to, "--delay", how.delay, "Runs that long from now at the earliest: 5m, 2h");
  to.add_option_function<std::string>(
        "--at", [&how](const std::string& text) { how.at = moment_of(text); },
        "Runs then at the earliest: 2026-12-24T18:00Z; 2026-12-24T18:00 is of the clock here")
      ->type_name("MOMENT")
      ->excludes(delay);
  add_span(to, "--timeout", how.timeout, "Bound of one attempt: then it is ended, and has failed");
  to.add_option_function<std::string>(
        "--expires", [&options](const std::string& text) { options.expires_in = span_of(text); },
        "No attempt begins later than so long from now: then it is dead")
      ->type_name("SPAN");
  to.add_option("--attempts", how.max_attempts, "Failures until it is dead; 10 unless said")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 1'000'000));
  to.add_option_function<std::string>(
        "--unique", [&how](const std::string& key) { unique_in(how).key = key; },
        "Only where no other job of its queue with this key waits or runs; else prints the id of that")
      ->type_name("KEY");
  to.add_option_function<std::string>(
        "--unique-for", [&how](const std::string& text) { unique_in(how).period = span_of(text); },
        "The same, and for so long after its push whatever becomes of it: 1d")
      ->type_name("SPAN")
      ->needs("--unique");
  to.add_option("--tag", how.tags, "For people; several: again")->type_name("TAG")->allow_extra_args(false);
  to.add_option_function<std::string>(
        "--concurrency-limit", [&how](const std::string& text) { limit_running(how, text); },
        "So many jobs with this key run at a time, in all queues and processes: mail=10")
      ->type_name("KEY=NUMBER");
  to.add_option_function<std::string>(
        "--rate-limit", [&how](const std::string& text) { limit_rate(how, text); },
        "So many with this key begin in that time, evenly: mail=10/1s")
      ->type_name("KEY=NUMBER/SPAN");
  add_job_ids(to, "--after", how.after, "Id of a job that has to be done first; several: again");
  add_job_ids(to, "--after-end", how.after_end, "The same, but it may end in whatever way");
}

void add_push(CLI::App& to, const jobs_commands& all, std::vector<std::string> program) {
  auto options = std::make_shared<jobs_push_options>();
  options->command.arguments = std::move(program);
  auto* const push = add(to, all, "push", "Keep a program as a job, for `weft work`", nullptr);
  push->add_option("--keys", options->keys, "Key file that signs the job; else $WEFT_KEYS")
      ->type_name("FILE");
  add_push_options(*push, *options);
  push->add_option_function<std::string>(
          "--batch", [&batch = options->batch](const std::string& id) { batch = job_id_of(id); },
          "Id of a batch that it becomes one of: its last job waits for this one, too")
      ->type_name("ID");
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
  watch->add_option("--queue", options->queue, "Only jobs of this queue")->type_name("QUEUE");
  add_span(*watch, "--interval", options->interval, "Between two looks; 1s unless said");
  watch->add_option("--count", options->count, "End after so many looks; at a signal unless said")
      ->type_name("COUNT");
  watch->parse_complete_callback([chosen = all.chosen, shared = all.options, options] {
    *chosen = [=] {
      options->store = shared->store;
      return run_jobs_watch(*options);
    };
  });
}

/// How long jobs are kept: a span of time, or "never" for one that does not end.
void add_retention(CLI::App& to, const char* name, std::optional<std::chrono::microseconds>& into,
                   const char* purpose) {
  to.add_option_function<std::string>(
        name,
        [&into](const std::string& text) {
          into = text == "never" ? std::nullopt : std::optional(span_of(text));
        },
        purpose)
      ->type_name("SPAN");
}

}  // namespace

namespace {

void add_log(CLI::App& to, work_options& options) {
  to.add_option_function<std::string>(
        "--log-format",
        [&options](const std::string& name) { options.log_format = *log::line_format_from_string(name); },
        "The form of the log; automatic: text on a terminal, else logfmt")
      ->check(CLI::IsMember({"automatic", "text", "logfmt", "json"}).description(""))
      ->type_name("automatic|text|logfmt|json");
  to.add_option("--log-file", options.log_file,
                "Where the log is written; SIGUSR1 opens it anew; stderr unless said")
      ->type_name("FILE");
  to.add_option_function<std::string>(
        "--log-level",
        [&options](const std::string& name) { options.log_level = *log::level_from_string(name); },
        "What is written at least; info unless said")
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "critical", "off"}).description(""))
      ->type_name("debug|info|warn|error|critical|off");
}

}  // namespace

command add_work(CLI::App& to) {
  auto options = std::make_shared<work_options>();
  add_database(to, options->store);
  to.add_option("--keys", options->keys, "Key file that jobs are signed with; else $WEFT_KEYS")
      ->type_name("FILE");
  to.add_option("--queue", options->queues,
                "Where it takes jobs from, in this order; \"default\" unless said")
      ->type_name("QUEUE")
      ->allow_extra_args(false);
  to.add_option("--concurrency", options->concurrency, "Programs at a time; 10 unless said")
      ->type_name("COUNT")
      ->check(CLI::Range(std::size_t{1}, std::size_t{work_options::concurrency_max}));
  add_span(to, "--retry-first", options->retry_first,
           "Wait after the first failed attempt, which then doubles; 1s");
  add_span(to, "--retry-longest", options->retry_longest, "Longest such wait; 1h");
  add_retention(to, "--keep-done", options->retention.done,
                "Deletes done jobs that ended so long ago; 7d, or: never");
  add_retention(to, "--keep-given-up", options->retention.given_up,
                "Deletes dead and cancelled jobs that ended so long ago; never");
  add_span(to, "--stop-grace", options->stop_grace, "What runs may go on for so long after a signal; 10s");
  add_span(to, "--kill-grace", options->kill_grace, "Between SIGTERM and SIGKILL to a program; 2s");
  to.add_option(
        "--admin", options->admin,
        "Where it shows metrics, health and fibers: 127.0.0.1:9464, unix:/run/weft.sock; nowhere unless said")
      ->type_name("ADDRESS");
  add_log(to, *options);
  to.add_option("--pass-env", options->pass, "A variable that programs get, beside PATH, HOME and the like")
      ->type_name("NAME")
      ->allow_extra_args(false);
  to.add_flag("--once", options->once, "Run what is due, and end");
  to.get_option("--db")->required(false);  // the list needs none
  auto* const list = to.add_flag("--list-jobs", options->list_jobs, "Print which jobs it knows, and end");
  to.add_flag("--json", options->as_json, "The list as JSON")->needs(list);
  to.footer(
      "SIGTERM and SIGINT stop it in order, a second one at once: what it runs goes back to its queue.");
  to.final_callback([options, &to] {  // before settings are given to options that have none
    for (const auto& [setting, option] : work_setting_options()) {
      if (to.get_option(option)->count() > 0) options->said.insert(setting);
    }
  });
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
  add_change(to, all, "delete", "Delete jobs for good; one that runs has to be cancelled first",
             "All done, dead and cancelled jobs; with a filter not needed", &run_jobs_delete);
  add_queue_switch(to, all, "pause", "Start no job of a queue any more, in all processes", &run_jobs_pause);
  add_queue_switch(to, all, "resume", "Let paused queues go on", &run_jobs_resume);
  add_purge(to, all);
  return [chosen = all.chosen] { return (*chosen)(); };
}

}  // namespace weft::inline v1::cli
