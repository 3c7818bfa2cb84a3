#include <weft/cli/cli.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>

#include <sys/ioctl.h>
#include <unistd.h>

#include <weft/core/version.hpp>
#include <weft/log/sink.hpp>

#include "cli/batches_commands.hpp"
#include "cli/call.hpp"
#include "cli/config_commands.hpp"
#include "cli/dashboard_command.hpp"
#include "cli/db_commands.hpp"
#include "cli/doctor.hpp"
#include "cli/exit_status.hpp"
#include "cli/explain.hpp"
#include "cli/jobs_commands.hpp"
#include "cli/keys.hpp"
#include "cli/known_names.hpp"
#include "cli/limits_commands.hpp"
#include "cli/log_view.hpp"
#include "cli/new_project.hpp"
#include "cli/option_values.hpp"
#include "cli/printed_error.hpp"
#include "cli/schedules_commands.hpp"
#include "cli/settings.hpp"
#include "cli/shell_commands.hpp"
#include "cli/top.hpp"
#include "cli/usage_error.hpp"
#include "cli/workers.hpp"

// Only this file and those of *_commands know CLI11, whose header is slow to compile: they turn argv into the
// options of a command, each of which has a file of its own.

namespace weft::inline v1::cli {
namespace {

command add_doctor(CLI::App& to) {
  auto options = std::make_shared<doctor_options>();
  add_database(to, options->db);
  to.get_option("--db")->required(false);
  to.add_option("--keys", options->keys, "Key file to look at; else $WEFT_KEYS")->type_name("FILE");
  add_json(to, options->as_json);
  return [options] { return run_doctor(*options); };
}

command add_explain(CLI::App& to) {
  auto code = std::make_shared<std::string>();
  to.add_option("code", *code, "As an error shows it: timed_out; all unless said")->type_name("CODE");
  return [code] { return run_explain(*code); };
}

command add_new(CLI::App& to) {
  auto options = std::make_shared<new_options>();
  to.add_option("name", options->name, "Of the program: small letters, digits, - and _")
      ->type_name("NAME")
      ->required();
  to.add_option("--folder", options->folder, "Where it goes; ./NAME unless said")->type_name("FOLDER");
  to.footer("Example: weft new shop && cmake -S shop -B shop/build && cmake --build shop/build");
  return [options] { return run_new(*options); };
}

std::chrono::nanoseconds seconds(double count) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(count));
}

command add_call(CLI::App& to) {
  using workers::protocol_choice;
  auto options = std::make_shared<call_options>();
  to.add_option("address", options->address, "unix:/path or host:port")->type_name("ADDRESS")->required();
  to.add_option("method", options->method, "Name of the function; '' for the one without a name")
      ->type_name("NAME")
      ->required();
  // Whatever follows is an argument, whatever it looks like.
  to.prefix_command();
  to.footer(
      "Arguments follow the method, and options do not: each is JSON, as 7, '\"text\"', '[1,{\"a\":null}]'. "
      "Where one "
      "looks like an option, put -- before the address.");
  to.add_option_function<double>(
        "--timeout", [options](double count) { options->timeout = seconds(count); },
        "Seconds until the call is given up; 30 unless said")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 1e9));
  auto* const keys = to.add_option("--key-file", options->key_file, "Keys, of which the server has one too")
                         ->type_name("FILE");
  to.add_flag("-s,--strings", options->strings, "An argument that is no JSON is a string");
  to.add_flag("--json", options->json_errors, "Print an error as JSON");
  to.add_flag("-v,--verbose", options->verbose, "Print what the function logged");
  to.add_flag("--wait", options->wait,
              "Wait, as long as the timeout allows, for a server that does not listen yet");
  auto* const native = to.add_flag_callback(
      "--native", [options] { options->protocol = protocol_choice::native; }, "The server is of weft");
  to.add_flag_callback(
        "--compatible", [options] { options->protocol = protocol_choice::compatible; },
        "Speak the protocol of AnyEvent::Task")
      ->excludes(native)
      ->excludes(keys);
  return [options, &to] {
    options->arguments = to.remaining();
    // CLI11 leaves the mark in.
    const auto mark = std::find(options->arguments.begin(), options->arguments.end(), "--");
    if (mark != options->arguments.end()) options->arguments.erase(mark);
    return run_call(*options);
  };
}

command add_workers(CLI::App& to) {
  auto options = std::make_shared<workers_options>();
  to.add_option("address", options->address, "unix:/path or host:port")->type_name("ADDRESS")->required();
  to.add_option("--key-file", options->key_file, "Keys, of which the server has one too")->type_name("FILE");
  to.add_flag("--json", options->as_json, "Print JSON");
  to.add_option_function<double>(
        "--timeout", [options](double count) { options->timeout = seconds(count); },
        "Seconds the server has for its answer; 5 unless said")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 1e9));
  return [options] { return run_workers(*options); };
}

command add_top(CLI::App& to) {
  auto options = std::make_shared<top_options>();
  add_database(to, options->store);
  add_span(to, "--interval", options->interval, "Between two looks; 1s unless said");
  to.add_option("--count", options->count, "End after so many looks")->type_name("NUMBER");
  to.add_flag("--json", options->as_json, "Print a line of JSON for each look");
  to.footer(
      "Keys: q ends it, space holds the screen, s sorts queues by name, ready, running or dead jobs. Where "
      "stdout is no terminal it prints one look.");
  return [options] { return run_top(*options); };
}

std::size_t terminal_width() {
  constexpr std::size_t otherwise = 80;
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : otherwise;
}

void add_style(CLI::App& to, log_style& style) {
  style.width = terminal_width();
  style.coloured = log::use_colour(log::colour::automatic, STDOUT_FILENO);
  to.add_flag_callback(
      "-q,--quiet", [&style] { style.verbosity = 20; }, "Errors and warnings only");
  to.add_flag_callback(
      "-v,--verbose", [&style] { style.verbosity = 40; }, "Debug records too");
  to.add_option("--verbosity", style.verbosity, "Records up to this number; 30 unless said")
      ->type_name("NUMBER");
  to.add_option("--width", style.width, "Columns of the chart of timers")
      ->type_name("COLUMNS")
      ->check(CLI::Range(20, 1000));
  to.add_flag("--utc", style.utc, "Dates in UTC");
  to.add_flag("--since-now", style.since_now, "How long ago, instead of dates");
  to.add_flag_callback(
      "--no-logs", [&style] { style.with_records = false; }, "No records");
  to.add_flag_callback(
      "--no-timers", [&style] { style.with_timers = false; }, "No timers");
  to.add_flag_callback(
      "--no-data", [&style] { style.with_data = false; }, "No data");
}

command add_log(CLI::App& to) {
  auto options = std::make_shared<log_view_options>();
  to.require_subcommand(1);
  CLI::App* const view = to.add_subcommand("view", "Show logs in the form of Log::Defer, one on each line");
  view->add_option("file", options->files, "Files, also .gz and .bz2; none, or -: stdin")->type_name("FILE");
  add_style(*view, options->style);
  view->add_option("--grep", options->grep, "Only logs whose line has this text")->type_name("TEXT");
  view->add_option("--where", options->where,
                   "Only logs for which this holds: data.user=alice, end>0.5, data.error; several: all")
      ->type_name("CONDITION")
      ->allow_extra_args(false);
  view->add_option("--count", options->count, "Print how often each value of this path is there: data.user")
      ->type_name("PATH");
  view->add_option("--map", options->map, "Print the value of this path for each log")->type_name("PATH");
  view->add_option("--sum", options->sum,
                   "Print count, sum, mean, least and most of the numbers at this path: end")
      ->type_name("PATH");
  auto* const sort = view->add_flag("--sort", options->sort, "By start, all files together");
  view->add_flag("-f,--follow", options->follow, "Wait for more, for ever")->excludes(sort);
  return [options] {
    if (options->follow && options->files.empty()) options->follow = false;  // stdin ends by itself
    return run_log_view(*options);
  };
}

CLI::App* add_keys_command(CLI::App& to, const char* name, const char* purpose,
                           const std::shared_ptr<keys_options>& options,
                           const std::shared_ptr<command>& chosen, int (*run)(const keys_options&)) {
  CLI::App* const added = to.add_subcommand(name, purpose);
  added->add_option("file", options->file, "The key file")->type_name("FILE")->required();
  added->parse_complete_callback([=] { *chosen = [=] { return run(*options); }; });
  return added;
}

void add_store(CLI::App& to, keys_options& options) {
  to.add_option("--store", options.store, "Count the jobs of this store that need a key: sqlite:/path")
      ->type_name("URL");
}

command add_keys(CLI::App& to) {
  auto options = std::make_shared<keys_options>();
  auto chosen = std::make_shared<command>();
  to.require_subcommand(1);
  const auto add = [&](const char* name, const char* purpose, int (*run)(const keys_options&)) {
    return add_keys_command(to, name, purpose, options, chosen, run);
  };
  auto* const generate = add("generate", "Make a new key file with one key", &run_keys_generate);
  generate->add_option("--id", options->id, "Name of the key; the date unless said")->type_name("ID");
  auto* const list = add("list", "Show ids and ages; never a secret", &run_keys_list);
  list->add_flag("--json", options->as_json, "Print JSON");
  auto* const rotate =
      add("rotate", "Sign with a new key, and verify with the others still", &run_keys_rotate);
  auto* const id =
      rotate->add_option("--id", options->id, "Name of the new key; the date unless said")->type_name("ID");
  auto* const verify_only =
      rotate->add_flag("--verify-only", options->verify_only, "The new key does not sign yet");
  rotate->add_option("--to", options->to, "Sign with this key of the file, not with a new one")
      ->type_name("ID")
      ->excludes(id)
      ->excludes(verify_only);
  auto* const retire = add("retire", "Trust a key no more; forget its secret", &run_keys_retire);
  retire->add_option("id", options->id, "The key")->type_name("ID")->required();
  add_store(*retire, *options);
  retire->add_flag("--force", options->force, "Also where jobs need it");
  auto* const check = add("check", "Can programs use the file? 1 where something is wrong", &run_keys_check);
  add_store(*check, *options);
  check
      ->add_option_function<int>(
          "--max-age", [options](int count) { options->age_max = std::chrono::days(count); },
          "The key that signs may have so many days")
      ->type_name("DAYS")
      ->check(CLI::Range(1, 36500));
  check->add_flag("--json", options->as_json, "Print JSON");
  return [chosen] { return (*chosen)(); };
}

struct command_entry {
  const char* name;
  const char* purpose;
  command (*add)(CLI::App& to);
};

constexpr command_entry commands[] = {
    {"doctor", "Look at kernel, limits and libraries", &add_doctor},
    {"explain", "Say what the code of an error means, and what to do", &add_explain},
    {"call", "Call a function that a worker server offers", &add_call},
    {"workers", "Show what a worker server is doing", &add_workers},
    {"dashboard", "Show the jobs of a database in a browser, and decide about them", &add_dashboard},
    {"top", "Show queues, workers and running jobs as they change", &add_top},
    {"db", "Check, migrate and back up a database of jobs", &add_db},
    {"limits", "Bound how many jobs with a key run, and how often they begin", &add_limits},
    {"work", "Run the programs that `weft jobs push --exec` keeps", &add_work},
    {"config", "Show and check the settings of this command", &add_config},
    {"new", "Write a project: a web service with a queue of jobs, its test and its unit", &add_new},
    {"keys", "Make, rotate and check keys that sign jobs", &add_keys},
    {"log", "Logs that were kept", &add_log},
};

/// Nothing where they are not in order, which is said.
std::optional<command_settings> settings_or_complaint() {
  try {
    return settings_in_force();
  } catch (const error&) {
    std::fputs(error_text("weft: settings", std::current_exception()).c_str(), stderr);
    return std::nullopt;
  }
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{"weft: run a function somewhere else and keep its context attached", "weft"};
  app.set_version_flag("-V,--version", "weft " + std::string(version));
  app.require_subcommand(1);
  command chosen;
  const auto enter = [&](CLI::App& added, command run) {
    added.parse_complete_callback([&chosen, run = std::move(run)] { chosen = run; });
  };
  for (const auto& one : commands) {
    CLI::App* const added = app.add_subcommand(one.name, one.purpose);
    enter(*added, one.add(*added));
  }
  const auto program = take_program(argc, argv);
  CLI::App* const jobs = app.add_subcommand("jobs", "Push jobs, look at them, and decide about them");
  enter(*jobs, add_jobs(*jobs, program));
  CLI::App* const batches =
      app.add_subcommand("batches", "Push programs together, show such jobs, and give them up");
  enter(*batches, add_batches(*batches, program));
  CLI::App* const schedules = app.add_subcommand("schedules", "Push programs by the clock; all schedules");
  enter(*schedules, add_schedules(*schedules, program));
  add_shell_commands(app, enter);
  if (argc == 4 && std::string_view(argv[1]) == "__names") return print_known_names(argv[2], argv[3]);
  if (argc > 1 && std::string_view(argv[1]) == "__complete")
    return print_completions(app, {argv + 2, argv + argc});
  const bool is_about_settings = argc > 1 && std::string_view(argv[1]) == "config";
  const auto settings = is_about_settings ? std::optional(command_settings{}) : settings_or_complaint();
  if (!settings) return exit_config;
  apply_settings(app, *settings);
  try {
    app.parse(argc, argv);
    apply_lists(app, *settings);
  } catch (const CLI::ParseError& stop) {
    if (stop.get_exit_code() == 0) return app.exit(stop);  // prints help or version
    std::fputs(usage_error_text(app, stop).c_str(), stderr);
    return exit_usage;
  }
  return chosen();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "weft: %s\n", failure.what());
    return exit_failed;
  }
}

}  // namespace weft::inline v1::cli
