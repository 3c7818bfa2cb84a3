#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace weft::inline v1::jobs::sqlite {

class connection;

/// The newest schema that this build knows.
inline constexpr int schema_version = 14;

/// Brings the tables up to schema_version, each step in a transaction of its own, those of a new file in one.
/// Called under the writer lock. Throws weft::error (unsupported) that names both versions if the file is
/// newer. Tests stop at an earlier version, `to`.
void migrate(connection& database, std::chrono::milliseconds busy_timeout, int to = schema_version);

/// The statements of the step to that version.
const char* migration_text(int version) noexcept;

/// Notices that another process has brought the file to a schema that the statements of this build do not
/// fit.
///
/// One thread: that of its connection.
class schema_watch {
 public:
  explicit schema_watch(connection& on) noexcept : connection_(on) {}
  /// Throws weft::error (unsupported) that names both versions unless the file still has schema_version. In a
  /// transaction that holds to its end.
  void check();

 private:
  connection& connection_;
  std::optional<std::int64_t> checked_;  // the data version that was found to be good
};

/// Throws weft::error (unsupported) that says what to do where the tables are not of schema_version.
void expect_current(connection& database);

/// The version of the tables, 0 where there are none. Throws as migrate() for a newer one.
int checked_version(connection& database);

/// The version of the tables; 0 where there are none. Checks nothing.
int stored_version(connection& database);

}  // namespace weft::inline v1::jobs::sqlite
