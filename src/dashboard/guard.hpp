#pragma once

#include <optional>
#include <string>

#include <weft/http/middleware.hpp>
#include <weft/http/request.hpp>
#include <weft/http/response.hpp>

#include "dashboard/sessions.hpp"

namespace weft::inline v1::dashboard {

inline constexpr std::string_view session_cookie = "weft-dashboard";
inline constexpr std::string_view csrf_header = "X-Weft-Csrf";

/// Who may have what. What it refuses it throws as status_error: 401, 403, 429. Thread-safe; never waits.
class guard {
 public:
  guard(const site_options& options, sessions& open) : options_(options), sessions_(open) {}

  /// Around everything: the host must be one of ours, and browsers are told what the page may do.
  void protect(http::request& in, http::response& out, http::next& next);

  /// Who asks, by session or token (Authorization: Bearer).
  identity who(const http::request& in);
  /// The same, for a change: not by a page of another origin, and by who may. A refusal is logged.
  identity who_changes(const http::request& in);

  /// Takes a token for a session.
  sessions::opened log_in(const http::request& in, std::string_view token);
  /// A change comes from a page of ours: its Origin says so.
  void check_origin(const http::request& in) const;

 private:
  std::optional<identity> by_token(const http::request& in);

  const site_options& options_;
  sessions& sessions_;
};

/// Writes the audit: a log record of what somebody did, or tried to do.
void audit(const identity& who, const http::request& in, std::string_view action, std::string_view on,
           std::int64_t jobs);

}  // namespace weft::inline v1::dashboard
