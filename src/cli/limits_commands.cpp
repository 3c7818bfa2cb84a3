#include "cli/limits_commands.hpp"

#include <CLI/CLI.hpp>
#include <climits>
#include <memory>
#include <string>
#include <utility>

#include "cli/limits.hpp"
#include "cli/option_values.hpp"
#include "core/hex.hpp"

namespace weft::inline v1::cli {

namespace {

/// The commands of `weft limits` share their options; one of them is chosen.
struct limits_commands {
  std::shared_ptr<limits_options> options = std::make_shared<limits_options>();
  std::shared_ptr<command> chosen = std::make_shared<command>();
};

CLI::App* add(CLI::App& to, const limits_commands& all, const char* name, const char* purpose,
              int (*run)(const limits_options&)) {
  CLI::App* const added = to.add_subcommand(name, purpose);
  add_database(*added, all.options->store);
  added->parse_complete_callback(
      [chosen = all.chosen, options = all.options, run] { *chosen = [=] { return run(*options); }; });
  return added;
}

void add_list(CLI::App& to, const limits_commands& all) {
  auto* const list =
      add(to, all, "list", "Show limits by key, and how many jobs each holds back", &run_limits_list);
  auto* const after =
      list->add_option("--after", all.options->after, "Only limits behind that key: for the next page")
          ->type_name("LIMIT");
  list->add_option_function<std::string>(
          "--next",
          [options = all.options](const std::string& text) {
            auto bytes = bytes_of_hex(text);
            if (!bytes) throw CLI::ValidationError("--next: that is not the \"next\" of a page");
            options->after = std::move(*bytes);
          },
          "The same, with the \"next\" of the page before, as --json shows it")
      ->type_name("NEXT")
      ->excludes(after);
  list->add_option("--limit", all.options->count, "So many limits; 100 unless said")
      ->type_name("COUNT")
      ->check(CLI::Range(std::size_t{1}, limits_listed_max));
  add_json(*list, all.options->as_json);
}

void add_set(CLI::App& to, const limits_commands& all) {
  limits_options& options = *all.options;
  auto* const set =
      add(to, all, "set", "Bound all jobs with a key, at once and whatever pushes say", &run_limits_set);
  set->add_option("key", options.keys, "Key of the limit")->type_name("LIMIT")->required()->expected(1);
  set->add_option("--max", options.max, "So many run at a time; any number unless said")
      ->type_name("COUNT")
      ->check(CLI::Range(1, INT_MAX));
  auto* const rate =
      set->add_option_function<std::string>(
             "--rate",
             [&options](const std::string& text) { options.rate = rate_of(text, "NUMBER/SPAN, as 30/1m"); },
             "So many begin in that time, evenly: 30/1m; at any rate unless said")
          ->type_name("NUMBER/SPAN");
  set->add_option("--burst", options.burst,
                  "So many of these at once, after a pause; all of them unless said")
      ->type_name("COUNT")
      ->check(CLI::Range(1, INT_MAX))
      ->needs(rate);
  set->add_flag("--unlimited", options.unlimited, "Any number, at any rate");
  set->footer("Example: weft limits set mail --max 10 --rate 30/1m");
}

void add_release(CLI::App& to, const limits_commands& all) {
  auto* const release = add(to, all, "release", "Let pushes say again what limits are", &run_limits_release);
  release->add_option("key", all.options->keys, "Keys of limits that somebody has set")->type_name("LIMIT");
  release->add_flag("--all", all.options->all, "All that somebody has set");
  add_safeguards(*release, all.options->yes, all.options->dry_run);
  add_json(*release, all.options->as_json);
}

}  // namespace

command add_limits(CLI::App& to) {
  const limits_commands all;
  to.require_subcommand(1);
  add_list(to, all);
  add_set(to, all);
  add_release(to, all);
  return [chosen = all.chosen] { return (*chosen)(); };
}

}  // namespace weft::inline v1::cli
