#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace weft::inline v1::jobs::postgres {

/// Where a database is, and as whom to go there: a URL as libpq reads it,
/// postgresql://user:password@host/name.
class address {
 public:
  /// Throws weft::error (invalid_argument), without what stands in the URL, where libpq cannot read it.
  explicit address(std::string url);

  /// With its secrets; for libpq alone.
  const std::string& url() const noexcept { return url_; }
  /// For people: user, host, port and database, and nothing else of it.
  const std::string& shown() const noexcept { return shown_; }
  /// `connect_timeout` of the URL or PGCONNECT_TIMEOUT; 10 s without.
  std::chrono::seconds connect_timeout() const noexcept { return connect_timeout_; }

  /// Does `url` begin as one?
  static bool is_one(std::string_view url) noexcept {
    return url.starts_with("postgres://") || url.starts_with("postgresql://");
  }

 private:
  std::string url_;
  std::string shown_;
  std::chrono::seconds connect_timeout_{10};
};

}  // namespace weft::inline v1::jobs::postgres
