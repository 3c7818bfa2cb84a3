#pragma once

#include <string>
#include <string_view>

#include <weft/core/error.hpp>

struct pg_result;

namespace weft::inline v1::jobs::postgres {

/// SQLSTATE of a lock that was waited for until lock_timeout.
inline constexpr std::string_view lock_not_available = "55P03";

/// The weft code of an SQLSTATE; `unavailable` for the empty one, a connection that broke. The functions of
/// weft's own schema use the class WF:
///     WF001 not_found   WF002 refused           WF003 already_exists   WF004 resource_exhausted   WF005
///     misuse WF006 busy        WF007 invalid_argument  WF008 unsupported      WF009 corrupt WF010 too_large
errc code_of(std::string_view state) noexcept;

/// A statement or a connection failed. Of what the server says, the message has what is meant for people,
/// without its detail, which may quote data; and never a secret.
class database_error : public error {
 public:
  /// `in_doubt`: the connection broke after the call was sent, so it may have been done.
  /// It is counted (count_database_error).
  database_error(std::string state, std::string message, bool in_doubt = false);

  /// SQLSTATE; empty where the server did not give one: it could not be reached, or the connection broke.
  const std::string& state() const noexcept { return state_; }
  /// May what was asked for have been done all the same? The connection is closed then.
  bool is_in_doubt() const noexcept { return in_doubt_; }
  /// The server undid the transaction because of others; the same one may succeed at once: a deadlock, a
  /// conflict of serializable transactions, or a statement that a pooler has lost.
  bool is_run_again() const noexcept;
  /// The server cannot be used for now, or this connection cannot.
  bool is_connection() const noexcept;

 private:
  std::string state_;
  bool in_doubt_;
};

/// Is the server away, or was the connection ended, by that SQLSTATE?
bool is_connection_state(std::string_view state) noexcept;

/// Of a failed statement: "jobs: PostgreSQL: <what the server says> (SQLSTATE 23505)"; those of class WF as
/// they are.
database_error error_of(const pg_result* failed, bool in_doubt);

/// One line: line breaks and tabs become "; ".
std::string one_line(std::string_view text);

}  // namespace weft::inline v1::jobs::postgres
