#include "jobs/postgres/link/database_error.hpp"

#include <algorithm>
#include <array>

#include <libpq-fe.h>

#include "jobs/database_meters.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

struct meaning {
  std::string_view start;  // of the SQLSTATE
  errc code;
};

// The first that fits holds.
constexpr std::array meanings{
    meaning{"WF001", errc::not_found},
    meaning{"WF002", errc::refused},
    meaning{"WF003", errc::already_exists},
    meaning{"WF004", errc::resource_exhausted},
    meaning{"WF005", errc::misuse},
    meaning{"WF006", errc::busy},
    meaning{"WF007", errc::invalid_argument},
    meaning{"WF008", errc::unsupported},
    meaning{"WF009", errc::corrupt},
    meaning{"WF010", errc::too_large},
    meaning{"08", errc::unavailable},
    meaning{"0A", errc::unsupported},
    meaning{"22", errc::invalid_argument},
    meaning{"23505", errc::already_exists},
    meaning{"23", errc::invalid_argument},
    meaning{"25006", errc::refused},      // a server that only reads
    meaning{"25P03", errc::unavailable},  // idle in a transaction for too long: it has closed the connection
    meaning{"25", errc::misuse},
    meaning{"26000", errc::busy},  // a prepared statement that a pooler has lost
    meaning{"28", errc::refused},
    meaning{"3D000", errc::not_found},
    meaning{"3F000", errc::not_found},
    meaning{"40", errc::busy},
    meaning{"42501", errc::refused},
    meaning{"42P01", errc::not_found},
    meaning{"42883", errc::not_found},
    meaning{"42P05", errc::busy},  // a prepared statement that another client of a pooler has made
    meaning{"42", errc::invalid_argument},
    meaning{"44", errc::invalid_argument},
    meaning{"53100", errc::storage_full},
    meaning{"53", errc::resource_exhausted},
    meaning{"54", errc::too_large},
    meaning{"55P03", errc::busy},
    meaning{"55", errc::busy},
    meaning{"57014", errc::timed_out},
    meaning{"57P", errc::unavailable},
    meaning{"58", errc::io_error},
    meaning{"XX001", errc::corrupt},
    meaning{"XX002", errc::corrupt},
    meaning{"XX", errc::io_error},
    meaning{"P0001", errc::invalid_argument},
};

std::string_view field(const pg_result* of, int which) noexcept {
  const char* const text = PQresultErrorField(of, which);
  return text != nullptr ? text : std::string_view();
}

std::string_view remedy(std::string_view state) noexcept {
  if (state == "53100") return "; make room on the server's disk, then try again";
  if (state == "25006") {
    return "; this server only reads: name the primary, or add target_session_attrs=read-write to the URL";
  }
  return "";
}

}  // namespace

errc code_of(std::string_view state) noexcept {
  if (state.empty()) return errc::unavailable;
  const auto* const found =
      std::ranges::find_if(meanings, [&](const meaning& one) { return state.starts_with(one.start); });
  return found != meanings.end() ? found->code : errc::unknown;
}

bool is_connection_state(std::string_view state) noexcept {
  return state.empty() || state.starts_with("08") || state.starts_with("57P") || state == "25P03";
}

database_error::database_error(std::string state, std::string message, bool in_doubt)
    : error(code_of(state), std::move(message)), state_(std::move(state)), in_doubt_(in_doubt) {
  count_database_error("postgres", code());
}

bool database_error::is_run_again() const noexcept {
  return state_ == "40001" || state_ == "40P01" || state_ == "26000" || state_ == "42P05";
}

bool database_error::is_connection() const noexcept { return is_connection_state(state_); }

database_error error_of(const pg_result* failed, bool in_doubt) {
  const std::string_view state = field(failed, PG_DIAG_SQLSTATE);
  const std::string_view said = field(failed, PG_DIAG_MESSAGE_PRIMARY);
  if (state.starts_with("WF")) {
    const std::string_view hint = field(failed, PG_DIAG_MESSAGE_HINT);
    return {std::string(state), std::string(said) + (hint.empty() ? "" : "; ") + std::string(hint)};
  }
  std::string message = "jobs: PostgreSQL: ";
  message += said.empty() ? one_line(PQresultErrorMessage(failed)) : std::string(said);
  if (!state.empty()) message.append(" (SQLSTATE ").append(state).append(")");
  message += remedy(state);
  return {std::string(state), std::move(message), in_doubt};
}

std::string one_line(std::string_view text) {
  std::string line;
  bool gap = false;
  for (const char c : text) {
    if (c == '\n' || c == '\t' || c == '\r') {
      gap = true;
      continue;
    }
    if (gap && !line.empty()) line += "; ";
    gap = false;
    line.push_back(c);
  }
  return line;
}

}  // namespace weft::inline v1::jobs::postgres
