#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "jobs/postgres/link/connection.hpp"

struct pg_conn;

namespace weft::inline v1::jobs::postgres {

/// A libpq connection that belongs to the program, for calls that block, as all of its own do there. It is
/// left as it was found, but for what the statements do.
///
/// Thread-safety: one thread at a time, as libpq's. Errors: database_error.
class users_connection {
 public:
  explicit users_connection(::pg_conn* link) noexcept : link_(link) {}

  /// Throws weft::error unless it can take statements now: invalid_argument, unavailable, misuse.
  void require_usable() const;
  bool is_open() const noexcept;
  bool is_in_transaction() const noexcept;

  /// As connection::run_all, in one round trip. Statements are not prepared: that would be for the user to
  /// see.
  std::vector<result> run_all(std::span<const statement> all);
  result run(std::string_view sql);

 private:
  void send(std::span<const statement> all);
  std::vector<result> read();
  [[noreturn]] void throw_lost() const;

  ::pg_conn* link_;
};

}  // namespace weft::inline v1::jobs::postgres
