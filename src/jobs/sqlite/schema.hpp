#pragma once

#include <chrono>

namespace weft::jobs::sqlite {

class connection;

/// The newest schema that this build knows.
inline constexpr int schema_version = 5;

/// Brings the tables up to schema_version, each step in a transaction of its own. Called under the
/// writer lock. Throws weft::error (unsupported) that names both versions if the file is newer.
void migrate(connection& database, std::chrono::milliseconds busy_timeout);

}  // namespace weft::jobs::sqlite
