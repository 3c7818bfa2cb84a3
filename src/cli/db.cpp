#include "cli/db.hpp"

#include <cstdio>
#include <functional>
#include <string_view>

#include <weft/log/escape.hpp>
#include <weft/wire/json.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"

namespace weft::cli {

namespace {

/// Calls `work` with the path in the URL.
int with_path(const db_options& options, const char* command,
              const std::function<int(const std::string&)>& work) {
  constexpr std::string_view scheme = "sqlite:";
  if (!options.store.starts_with(scheme)) {
    std::fprintf(stderr, "%s: the database is to be one of SQLite: sqlite:/path/file.db\n", command);
    return exit_usage;
  }
  return guarded(command, [&] { return work(options.store.substr(scheme.size())); });
}

std::string text_of(const jobs::database_report& report) {
  std::string text;
  for (const auto& one : report.problems) {
    text += "problem: ";
    log::append_escaped(text, one);
    text += '\n';
  }
  if (!report.problems.empty()) return text;
  return "all is well: " + std::to_string(report.jobs) + " jobs, " + std::to_string(report.workers) +
         " workers, schema version " + std::to_string(report.schema_version) + '\n';
}

std::string text_of(const migration_report& report) {
  const auto from = std::to_string(report.from);
  const auto to = std::to_string(report.to);
  if (report.from == report.to) return "nothing to do: the schema has version " + to + '\n';
  return std::string(report.dry_run ? "would bring" : "brought") + " the schema from version " + from +
         " to " + to + "; builds that know less than that refuse the database\n";
}

}  // namespace

int run_db_check(const db_options& options) {
  return with_path(options, "weft db check", [&](const std::string& path) {
    const auto report = jobs::check_database(path);
    std::fputs(
        (options.as_json ? wire::to_json(check_report{.database = report}) + '\n' : text_of(report)).c_str(),
        stdout);
    return report.problems.empty() ? exit_ok : exit_failed;
  });
}

int run_db_migrate(const db_options& options) {
  return with_path(options, "weft db migrate", [&](const std::string& path) {
    const auto done = options.dry_run ? jobs::plan_migration(path) : jobs::migrate_database(path);
    const migration_report report{.from = done.from, .to = done.to, .dry_run = options.dry_run};
    std::fputs((options.as_json ? wire::to_json(report) + '\n' : text_of(report)).c_str(), stdout);
    return exit_ok;
  });
}

int run_db_backup(const db_options& options) {
  return with_path(options, "weft db backup", [&](const std::string& path) {
    jobs::backup_database(path, options.to);
    return exit_ok;
  });
}

}  // namespace weft::cli
