#pragma once

#include <string>

#include <weft/jobs/maintenance.hpp>

// What <weft/jobs/maintenance.hpp> does, on PostgreSQL. Each call has a connection of its own, on a thread of
// its own.

namespace weft::inline v1::jobs::postgres {

database_facts look_at_database(const std::string& url);
database_report check_database(const std::string& url);
migration plan_migration(const std::string& url);
migration migrate_database(const std::string& url);
void grant_rights(const std::string& url, const std::string& role, const std::string& rights);

}  // namespace weft::inline v1::jobs::postgres
