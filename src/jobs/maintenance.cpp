#include <weft/jobs/maintenance.hpp>

#include <weft/core/error.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/database_url.hpp"
#ifndef WEFT_WITHOUT_POSTGRES
#include "jobs/postgres/maintenance.hpp"
#endif
#include "jobs/sqlite/maintenance.hpp"

namespace weft::inline v1::jobs {
namespace {

[[noreturn]] void refuse(const char* tried, const char* why) {
  throw error(errc::unsupported, std::string("jobs: ") + tried + ": " + why);
}

bool is_file(const std::string& url, const char* tried) {
  const auto kind = kind_of_url(url);
  if (kind == database_kind::memory) refuse(tried, "memory: has no database");
  return kind == database_kind::sqlite;
}

}  // namespace

#ifdef WEFT_WITHOUT_POSTGRES
// kind_of_url refuses their URLs.
namespace postgres {
static database_facts look_at_database(const std::string&) { refuse("look at", "no PostgreSQL"); }
static database_report check_database(const std::string&) { refuse("check", "no PostgreSQL"); }
static migration plan_migration(const std::string&) { refuse("migrate", "no PostgreSQL"); }
static migration migrate_database(const std::string&) { refuse("migrate", "no PostgreSQL"); }
static void grant_rights(const std::string&, const std::string&, const std::string&) {
  refuse("grant rights", "no PostgreSQL");
}
}  // namespace postgres
#endif

database_facts look_at_database(const std::string& url) {
  if (!is_file(url, "look at")) return postgres::look_at_database(url);
  const auto path = path_of_url(url);
  const auto plan = sqlite::plan_migration(path);
  return {path, "SQLite " + sqlite_version().version, plan.from, plan.to, {}};
}

database_report check_database(const std::string& url) {
  return is_file(url, "check") ? sqlite::check_database(path_of_url(url)) : postgres::check_database(url);
}

migration plan_migration(const std::string& url) {
  return is_file(url, "migrate") ? sqlite::plan_migration(path_of_url(url)) : postgres::plan_migration(url);
}

migration migrate_database(const std::string& url) {
  return is_file(url, "migrate") ? sqlite::migrate_database(path_of_url(url))
                                 : postgres::migrate_database(url);
}

void backup_database(const std::string& url, const std::string& to) {
  if (!is_file(url, "back up")) {
    refuse("back up", "of a database in PostgreSQL, pg_dump makes a backup; weft makes those of sqlite:");
  }
  sqlite::backup_database(path_of_url(url), to);
}

void grant_rights(const std::string& url, const std::string& role, const std::string& rights) {
  if (is_file(url, "grant rights")) refuse("grant rights", "a file has no roles; that is for postgres://");
  postgres::grant_rights(url, role, rights);
}

}  // namespace weft::inline v1::jobs
