#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::inline v1::http {

/// The bounds of a cookie_jar. Where one is passed, those that have ended go, then those that were sent least
/// recently; within a domain those without `secure` first.
struct cookie_jar_options {
  std::size_t cookies_max = 3000;
  std::size_t cookies_of_a_domain_max = 50;
};

/// Where cookies come from, or go to.
struct cookie_place {
  std::string_view host;        ///< a name or an address, without a port
  std::string_view path = "/";  ///< of the request, without its query
  bool secure = false;          ///< over TLS
};

/// A cookie that a jar keeps.
struct kept_cookie {
  std::string name;
  std::string value;
  std::string domain;  ///< lower case
  std::string path;
  bool host_only = true;  ///< of that host alone, not of those below it
  bool secure = false;
  bool http_only = false;
  std::optional<std::chrono::sys_seconds> expires = {};  ///< nothing: as long as the jar
};

/// Keeps the cookies that servers set, for clients (client_options::cookies): RFC 6265, with what its
/// revision says of prefixes ("__Host-", "__Secure-") and of cookies that plain HTTP may not touch.
///
///     auto jar = std::make_shared<weft::http::cookie_jar>();
///     weft::http::client client{"https://shop.example", {.cookies = jar}};
///
/// Public suffixes ("co.uk") are not known, only that one label ("com") is no domain to share cookies in: a
/// server may set cookies for others below the same suffix, so let clients of servers that should not know of
/// each other have jars of their own. same_site is not looked at: no other site makes a client's requests.
///
/// Thread-safe; never waits. In memory only.
class cookie_jar {
 public:
  static constexpr std::size_t cookie_bytes_max = 4096;     ///< of name and value; larger ones are refused
  static constexpr std::size_t attribute_bytes_max = 1024;  ///< longer ones are passed over
  static constexpr std::chrono::days kept_for_max{400};     ///< whatever the server says

  explicit cookie_jar(cookie_jar_options options = {}) : options_(options) {}
  cookie_jar(const cookie_jar&) = delete;
  cookie_jar& operator=(const cookie_jar&) = delete;

  /// Takes what a Set-Cookie field of an answer says. False where the cookie is refused. One that has ended
  /// takes the former one away.
  bool take(const cookie_place& from, std::string_view set_cookie);
  /// The value of the Cookie field of a request: the longest path first, then the oldest. Empty for none.
  std::string cookies_for(const cookie_place& to);

  /// What it has, apart from those that have ended, in the order in which they were first set.
  std::vector<kept_cookie> all() const;
  void clear() noexcept;

 private:
  struct entry {
    kept_cookie cookie;
    std::uint64_t used = 0;  // the larger, the later
  };
  void make_room(const std::string& domain, std::chrono::sys_seconds now);

  const cookie_jar_options options_;
  mutable std::mutex mutex_;
  std::vector<entry> entries_;  // guarded by mutex_; in the order in which they were first set
  std::uint64_t uses_ = 0;      // guarded by mutex_
};

}  // namespace weft::inline v1::http
