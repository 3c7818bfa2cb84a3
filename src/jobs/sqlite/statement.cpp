#include "jobs/sqlite/statement.hpp"

#include <utility>

#include <sqlite3.h>

#include "jobs/sqlite/error.hpp"

namespace weft::inline v1::jobs::sqlite {

statement::statement(sqlite3* handle, std::string_view sql, const char* purpose)
    : handle_(handle), purpose_(purpose) {
  check(sqlite3_prepare_v3(handle, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                           &statement_, nullptr));
}

statement::statement(statement&& other) noexcept
    : handle_(other.handle_),
      statement_(std::exchange(other.statement_, nullptr)),
      purpose_(other.purpose_),
      bound_(other.bound_) {}

statement::~statement() { sqlite3_finalize(statement_); }

statement& statement::reset() noexcept {
  sqlite3_reset(statement_);
  bound_ = 0;
  return *this;
}

statement& statement::bind(std::int64_t value) {
  check(sqlite3_bind_int64(statement_, ++bound_, value));
  return *this;
}

statement& statement::bind(double value) {
  check(sqlite3_bind_double(statement_, ++bound_, value));
  return *this;
}

statement& statement::bind(std::string_view text) {
  check(sqlite3_bind_text64(statement_, ++bound_, text.data() == nullptr ? "" : text.data(), text.size(),
                            SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

statement& statement::bind_blob(std::string_view bytes) {
  check(sqlite3_bind_blob64(statement_, ++bound_, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(),
                            SQLITE_TRANSIENT));
  return *this;
}

statement& statement::bind_null() {
  check(sqlite3_bind_null(statement_, ++bound_));
  return *this;
}

statement& statement::bind_value(const sql_value& value) {
  switch (value.index()) {
    case 1:
      return bind(std::get<std::int64_t>(value));
    case 2:
      return bind(std::get<double>(value));
    case 3:
      return bind(std::string_view(std::get<std::string>(value)));
    case 4:
      return bind_blob(std::get<sql_bytes>(value).data);
    default:
      return bind_null();
  }
}

bool statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  fail(code);
}

void statement::run() {
  while (step()) {
  }
  sqlite3_reset(statement_);
}

std::int64_t statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::optional<std::int64_t> statement::maybe_integer(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return integer(column);
}

std::string statement::text(int column) const {
  const void* const data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::string()
                         : std::string(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

sql_value statement::value(int column) const {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER:
      return integer(column);
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement_, column);
    case SQLITE_TEXT:
      return text(column);
    case SQLITE_BLOB:
      return sql_bytes{text(column)};
    default:
      return std::monostate{};
  }
}

int statement::columns() const { return sqlite3_column_count(statement_); }

void statement::check(int code) const {
  if (code != SQLITE_OK) fail(code);
}

void statement::fail(int code) const {
  const std::string tried = std::string("jobs: ") + purpose_;
  // The message is read before the reset, which would clear it.
  try {
    throw_error(handle_, code, tried);
  } catch (...) {
    sqlite3_reset(statement_);
    throw;
  }
}

}  // namespace weft::inline v1::jobs::sqlite
