#include "cli/schedules_commands.hpp"

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <utility>

#include "cli/option_values.hpp"
#include "cli/schedules.hpp"

namespace weft::inline v1::cli {

namespace {

/// The commands of `weft schedules` share their options; one of them is chosen.
struct schedules_commands {
  std::shared_ptr<schedules_options> options = std::make_shared<schedules_options>();
  std::shared_ptr<command> chosen = std::make_shared<command>();
};

CLI::App* add(CLI::App& to, const schedules_commands& all, const char* name, const char* purpose,
              int (*run)(const schedules_options&)) {
  CLI::App* const added = to.add_subcommand(name, purpose);
  add_database(*added, all.options->store);
  added->parse_complete_callback(
      [chosen = all.chosen, options = all.options, run] { *chosen = [=] { return run(*options); }; });
  return added;
}

void add_names(CLI::App& to, const schedules_commands& all, int at_most) {
  to.add_option("name", all.options->names, "Names of schedules")
      ->type_name("NAME")
      ->required()
      ->expected(1, at_most);
}

void add_add(CLI::App& to, const schedules_commands& all, std::vector<std::string> program) {
  schedules_options& options = *all.options;
  options.command.arguments = std::move(program);
  auto* const add_one =
      add(to, all, "add", "Push a program at the times of a cron expression, for `weft work`",
          &run_schedules_add);
  add_names(*add_one, all, 1);
  add_one->add_option("--cron", options.cron, "\"30 2 * * mon-fri\", @hourly: docs/cron.md")
      ->type_name("TIMES")
      ->required();
  add_one->add_option("--zone", options.zone, "Where clocks show it: Europe/Berlin; UTC unless said")
      ->type_name("ZONE");
  const std::map<std::string, jobs::catch_up> policies{
      {"skip", jobs::catch_up::skip}, {"one", jobs::catch_up::one}, {"all", jobs::catch_up::all}};
  add_one
      ->add_option("--catch-up", options.how.policy,
                   "Of times at which no worker was there: skip them, one for all, all; one unless said")
      ->transform(CLI::CheckedTransformer(policies).description(""))
      ->type_name("skip|one|all");
  add_one->add_option("--queue", options.how.queue, "Where its jobs wait; \"default\" unless said")
      ->type_name("QUEUE");
  add_one->add_option("--priority", options.how.priority, "Lower runs first; 0 unless said")
      ->type_name("NUMBER")
      ->check(CLI::Range(-32768, 32767));
  add_span(*add_one, "--timeout", options.how.timeout,
           "Bound of one attempt: then it is ended, and has failed");
  add_one->add_option("--attempts", options.how.max_attempts, "Failures until a job is dead; 10 unless said")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 1'000'000));
  add_one->add_option("--tag", options.how.tags, "For people; several: again")
      ->type_name("TAG")
      ->allow_extra_args(false);
  add_command(*add_one, options.command);
  add_one->add_option("--keys", options.keys, "Key file that signs it; else $WEFT_KEYS")->type_name("FILE");
  add_one->footer(
      "Example: weft schedules add backup --cron '30 2 * * *' --zone Europe/Berlin --exec -- backup /srv");
}

void add_reader(CLI::App& to, const schedules_commands& all) {
  add_reading_keys(to, all.options->keys);
  add_json(to, all.options->as_json);
}

}  // namespace

command add_schedules(CLI::App& to, std::vector<std::string> program) {
  constexpr int many = 1000;
  const schedules_commands all;
  to.require_subcommand(1);
  add_add(to, all, std::move(program));
  add_reader(*add(to, all, "list", "Show all schedules, also those of C++ programs", &run_schedules_list),
             all);
  auto* const show =
      add(to, all, "show", "Show a schedule, its next times and its jobs", &run_schedules_show);
  add_names(*show, all, 1);
  add_reader(*show, all);
  add_names(*add(to, all, "pause", "Push nothing at their times", &run_schedules_pause), all, many);
  add_names(*add(to, all, "resume", "Let paused ones go on with their next time", &run_schedules_resume), all,
            many);
  add_names(*add(to, all, "remove", "Forget them; the jobs they pushed stay", &run_schedules_remove), all,
            many);
  auto* const now =
      add(to, all, "run-now", "Push a job of it, besides those of its times", &run_schedules_run_now);
  add_names(*now, all, 1);
  now->add_option("--keys", all.options->keys, "Key file that signs the job; else $WEFT_KEYS")
      ->type_name("FILE");
  add_json(*now, all.options->as_json);
  return [chosen = all.chosen] { return (*chosen)(); };
}

}  // namespace weft::inline v1::cli
