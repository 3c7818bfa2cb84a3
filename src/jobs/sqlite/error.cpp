#include "jobs/sqlite/error.hpp"

#include <cerrno>

#include <sqlite3.h>

#include "jobs/database_meters.hpp"

namespace weft::inline v1::jobs::sqlite {
namespace {

bool means_no_room(int errno_value) noexcept {
  return errno_value == ENOSPC || errno_value == EDQUOT || errno_value == EFBIG;
}

/// The errno of the last failure on the database file or its log. SQLite's own note of it is often
/// overwritten by what it does to recover.
bool files_have_no_room(sqlite3* handle) {
  int of_database = 0;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &of_database);
  int of_log = 0;
  sqlite3_file* log = nullptr;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log != nullptr && log->pMethods != nullptr)
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &of_log);
  return means_no_room(of_database) || means_no_room(of_log) || means_no_room(sqlite3_system_errno(handle));
}

errc code_of_constraint(int extended_code) noexcept {
  const bool taken = extended_code == SQLITE_CONSTRAINT_PRIMARYKEY ||
                     extended_code == SQLITE_CONSTRAINT_UNIQUE || extended_code == SQLITE_CONSTRAINT_ROWID;
  return taken ? errc::already_exists : errc::invalid_argument;
}

std::string_view remedy(errc code) noexcept {
  switch (code) {
    case errc::storage_full:
      return "; make room, then try again";
    case errc::busy:
      return "; another connection holds the write lock: keep its transactions short, or use transact()";
    case errc::corrupt:
      return "; restore a copy, or look at it with `PRAGMA integrity_check`";
    default:
      return "";
  }
}

}  // namespace

errc code_of(int extended_code, bool no_room) noexcept {
  switch (extended_code & 0xff) {
    case SQLITE_FULL:
      return errc::storage_full;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return errc::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return errc::corrupt;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return errc::refused;
    case SQLITE_CANTOPEN:
      return errc::not_found;
    case SQLITE_CONSTRAINT:
      return code_of_constraint(extended_code);
    case SQLITE_TOOBIG:
      return errc::too_large;
    case SQLITE_NOMEM:
      return errc::resource_exhausted;
    case SQLITE_INTERRUPT:
      return errc::timed_out;
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return errc::misuse;
    case SQLITE_ERROR:
      return errc::invalid_argument;
    case SQLITE_IOERR:
      return no_room ? errc::storage_full : errc::io_error;
    default:
      return errc::io_error;
  }
}

void throw_error(sqlite3* handle, int code, std::string_view tried) {
  const int extended = handle != nullptr ? sqlite3_extended_errcode(handle) : code;
  const int used = (extended & 0xff) == (code & 0xff) ? extended : code;
  const errc mapped =
      code_of(used, handle != nullptr && (used & 0xff) == SQLITE_IOERR && files_have_no_room(handle));
  count_database_error("sqlite", mapped);
  std::string message(tried);
  message += ": ";
  message += handle != nullptr && used == extended ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  message += remedy(mapped);
  throw error(mapped, std::move(message));
}

}  // namespace weft::inline v1::jobs::sqlite
