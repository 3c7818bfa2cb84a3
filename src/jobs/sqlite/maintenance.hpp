#pragma once

#include <string>

#include <weft/jobs/maintenance.hpp>

// What <weft/jobs/maintenance.hpp> does, on SQLite: each takes the path of the file.

namespace weft::inline v1::jobs::sqlite {

database_report check_database(const std::string& path);
migration plan_migration(const std::string& path);
migration migrate_database(const std::string& path);
void backup_database(const std::string& path, const std::string& to);

}  // namespace weft::inline v1::jobs::sqlite
