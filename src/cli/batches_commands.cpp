#include "cli/batches_commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/batches.hpp"
#include "cli/jobs_change.hpp"
#include "cli/option_values.hpp"

namespace weft::cli {

command add_batches(CLI::App& to) {
  auto options = std::make_shared<jobs_options>();
  auto chosen = std::make_shared<command>();
  to.require_subcommand(1);
  const auto add = [&](const char* name, const char* purpose, int (*run)(const jobs_options&)) {
    CLI::App* const added = to.add_subcommand(name, purpose);
    add_database(*added, options->store);
    added->parse_complete_callback([=] { *chosen = [=] { return run(*options); }; });
    add_json(*added, options->as_json);
    return added;
  };
  const auto add_of_one = [&](const char* name, const char* purpose, int (*run)(const jobs_options&)) {
    CLI::App* const added = add(name, purpose, run);
    add_ids(*added, options->ids);
    added->get_option("id")->required()->expected(1);
    return added;
  };
  auto* const list = add("list", "Show batches, newest first", &run_batches_list);
  list->add_option_function<std::string>(
      "--before", [options](const std::string& id) { options->before = job_id_of(id); },
      "Only batches older than this one: for the next page");
  list->add_option("--limit", options->limit, "So many batches; 100 unless said")
      ->check(CLI::Range(std::size_t{1}, listed_at_once_max));
  add_reading_keys(*list, options->keys);
  add_reading_keys(*add_of_one("show", "Count the jobs of a batch by state", &run_batches_show),
                   options->keys);
  add_safeguards(*add_of_one("cancel", "Give up all its jobs that have not ended, its last one too",
                             &run_batches_cancel),
                 options->yes, options->dry_run);
  return [chosen] { return (*chosen)(); };
}

}  // namespace weft::cli
