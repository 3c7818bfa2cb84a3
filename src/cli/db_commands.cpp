#include "cli/db_commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/db.hpp"

namespace weft::inline v1::cli {

command add_db(CLI::App& to) {
  auto options = std::make_shared<db_options>();
  auto chosen = std::make_shared<command>();
  to.require_subcommand(1);
  const auto add = [&](const char* name, const char* purpose, int (*run)(const db_options&)) {
    CLI::App* const added = to.add_subcommand(name, purpose);
    add_database(*added, options->store);
    added->parse_complete_callback([=] { *chosen = [=] { return run(*options); }; });
    return added;
  };
  auto* const check = add("check", "Read all of it: is it whole? 1 where something is wrong", &run_db_check);
  check->add_flag("--json", options->as_json, "Print JSON");
  auto* const migrate =
      add("migrate", "Bring its tables up to this build, and say whether earlier ones may still use it",
          &run_db_migrate);
  migrate->add_flag("-n,--dry-run", options->dry_run, "Say what would be done, with the statements");
  migrate->add_flag("--json", options->as_json, "Print JSON");
  auto* const grant = add("grant", "Give a role of PostgreSQL the least rights that it needs", &run_db_grant);
  grant->add_option("role", options->role, "The role, which is there")->required();
  grant->add_option("rights", options->rights, "pusher, worker, reader or none; in the place of those it has")
      ->required()
      ->check(CLI::IsMember({"pusher", "worker", "reader", "none"}));
  add("backup", "Write it as it is now to a new file, without stopping anybody", &run_db_backup)
      ->add_option("file", options->to, "The new file; never one that is there")
      ->type_name("FILE")
      ->required();
  auto* const copy = to.add_subcommand("copy", "Copy all that it keeps to a new one, of any kind");
  copy->add_option("from", options->from, "Its URL")->type_name("URL")->required();
  copy->add_option("to", options->to, "The URL of the other: without jobs")->type_name("URL")->required();
  copy->add_flag("--workers-are-dead", options->workers_are_dead,
                 "Also where it names workers: they have died");
  copy->add_flag("--json", options->as_json, "Print JSON");
  copy->parse_complete_callback([=] { *chosen = [=] { return run_db_copy(*options); }; });
  return [chosen] { return (*chosen)(); };
}

}  // namespace weft::inline v1::cli
