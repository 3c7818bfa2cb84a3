#include "cli/db.hpp"

#include <cstdio>
#include <functional>
#include <string_view>

#include <weft/log/escape.hpp>
#include <weft/wire/json.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"
#include "core/counted.hpp"

namespace weft::inline v1::cli {

namespace {

/// Does `work`, where the URL is that of a database.
int with_database(const db_options& options, const char* command, const std::function<int()>& work) {
  for (const std::string_view scheme : {"sqlite:", "postgres://", "postgresql://"}) {
    if (options.store.starts_with(scheme)) return guarded(command, work);
  }
  std::fprintf(stderr, "%s: name a database: sqlite:/path/file.db or postgres://user@host/database\n",
               command);
  return exit_usage;
}

std::string text_of(const jobs::database_report& report) {
  std::string text;
  for (const auto& one : report.problems) {
    text += "problem: ";
    log::append_escaped(text, one);
    text += '\n';
  }
  if (!report.problems.empty()) return text;
  return "all is well: " + counted(report.jobs, "job") + ", " + counted(report.workers, "worker") +
         ", schema version " + std::to_string(report.schema_version) + '\n';
}

std::string text_of(const migration_report& report) {
  const auto from = std::to_string(report.from);
  const auto to = std::to_string(report.to);
  if (report.from == report.to) return "nothing to do: the schema has version " + to + '\n';
  std::string text =
      (report.dry_run ? "would bring the schema from version " : "brought the schema from version ") + from +
      " to " + to +
      (report.compatible_from < report.to
           ? "; builds that know version " + std::to_string(report.compatible_from) +
                 " may use the database, too\n"
           : "; builds that know less than that refuse the database\n");
  if (!report.dry_run) return text;
  for (const auto& one : report.steps) {
    text += "\n-- step to version " + std::to_string(one.version) + ", in one transaction\n" + one.sql;
  }
  return text;
}

}  // namespace

int run_db_check(const db_options& options) {
  return with_database(options, "weft db check", [&] {
    const auto report = jobs::check_database(options.store);
    std::fputs(
        (options.as_json ? wire::to_json(check_report{.database = report}) + '\n' : text_of(report)).c_str(),
        stdout);
    return report.problems.empty() ? exit_ok : exit_failed;
  });
}

int run_db_migrate(const db_options& options) {
  return with_database(options, "weft db migrate", [&] {
    const auto done =
        options.dry_run ? jobs::plan_migration(options.store) : jobs::migrate_database(options.store);
    const migration_report report{.from = done.from,
                                  .to = done.to,
                                  .compatible_from = done.compatible_from,
                                  .dry_run = options.dry_run,
                                  .steps = done.steps};
    std::fputs((options.as_json ? wire::to_json(report) + '\n' : text_of(report)).c_str(), stdout);
    return exit_ok;
  });
}

int run_db_backup(const db_options& options) {
  return with_database(options, "weft db backup", [&] {
    jobs::backup_database(options.store, options.to);
    return exit_ok;
  });
}

int run_db_grant(const db_options& options) {
  return with_database(options, "weft db grant", [&] {
    jobs::grant_rights(options.store, options.role, options.rights);
    return exit_ok;
  });
}

int run_db_copy(const db_options& options) {
  return guarded("weft db copy", [&] {
    const auto copied =
        jobs::copy_database(options.from, options.to, {.workers_are_dead = options.workers_are_dead});
    const std::string text = options.as_json ? wire::to_json(copied_report{.copied = copied})
                                             : "copied " + counted(copied.jobs, "job") + " and " +
                                                   counted(copied.schedules, "schedule") + " from " +
                                                   copied.from + " to " + copied.to;
    std::fputs((text + '\n').c_str(), stdout);
    return exit_ok;
  });
}

}  // namespace weft::inline v1::cli
