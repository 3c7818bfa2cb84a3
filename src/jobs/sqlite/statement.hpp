#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <weft/jobs/sql.hpp>

struct sqlite3;
struct sqlite3_stmt;

namespace weft::inline v1::jobs::sqlite {

/// A prepared statement. bind() its parameters in order, then step() or run(); the row is read with
/// the column functions. Errors are weft::error that name the statement's purpose.
///
/// One thread. Texts and blobs are copied when bound.
class statement {
 public:
  /// `purpose` is a literal, such as `claim jobs`.
  statement(sqlite3* handle, std::string_view sql, const char* purpose);
  statement(statement&& other) noexcept;
  statement& operator=(statement&&) = delete;
  ~statement();

  /// Makes it ready for new parameters. Every use begins with it.
  statement& reset() noexcept;
  statement& bind(std::int64_t value);
  statement& bind(double value);
  statement& bind(std::string_view text);
  statement& bind_blob(std::string_view bytes);
  statement& bind_null();
  statement& bind_value(const sql_value& value);

  /// The next row; false after the last one.
  bool step();
  /// Runs it to its end.
  void run();

  std::int64_t integer(int column) const;
  std::optional<std::int64_t> maybe_integer(int column) const;
  std::string text(int column) const;  ///< also for blobs
  sql_value value(int column) const;
  int columns() const;

 private:
  [[noreturn]] void fail(int code) const;
  void check(int code) const;

  sqlite3* handle_;
  sqlite3_stmt* statement_ = nullptr;
  const char* purpose_;
  int bound_ = 0;
};

}  // namespace weft::inline v1::jobs::sqlite
