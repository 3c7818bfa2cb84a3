#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::inline v1::wire {
class key_ring;
}

namespace weft::inline v1::http {

/// When a browser sends a cookie along with a request that another site began.
enum class same_site : unsigned char {
  unset,   ///< nothing is said; browsers take it for lax
  strict,  ///< never
  lax,     ///< when a link is followed
  none,    ///< always; only with `secure`
};

/// Which cookies a browser that has too many gives up first.
enum class cookie_priority : unsigned char { unset, low, medium, high };

/// What goes with a cookie (RFC 6265 and its revision). The defaults: all paths of this host only, until the
/// browser ends, out of reach of the page's scripts and of requests that other sites make.
struct cookie_options {
  std::optional<std::chrono::seconds> max_age = {};  ///< how long it is kept; not above zero: deleted
  std::optional<std::chrono::sys_seconds> expires =
      {};                   ///< the same as a date; max_age counts where both are
  std::string domain = {};  ///< empty: this host only; else it and all hosts below it
  std::string path = "/";   ///< and what lies below; empty: that of the request
  bool secure = false;      ///< over TLS only
  bool http_only = true;
  http::same_site same_site = same_site::lax;
  bool partitioned = false;  ///< apart for each site that embeds this one; only with `secure`
  cookie_priority priority = cookie_priority::unset;
};

/// One of the cookies of a request: views into it.
struct received_cookie {
  std::string_view name;
  std::string_view value;  ///< as sent, quotes and percent signs included
};

/// More cookies in one request are refused with 431.
inline constexpr std::size_t cookies_max = 200;

/// The cookies of one Cookie header, in their order, which is the browser's: the longest path first. Pairs
/// without '=' or with a name that is none are left out, as RFC 6265 has it.
std::vector<received_cookie> parse_cookies(std::string_view header);

/// The value of the first cookie of that name; nothing where it is absent.
std::optional<std::string_view> find_cookie(std::string_view header, std::string_view name) noexcept;

/// The value of a Set-Cookie header: for response::add_header; or use response::set_cookie. Throws
/// weft::error (invalid_argument) for what browsers would cut up or drop: a name that is no token, a value
/// with spaces, quotes, commas, semicolons or bytes beyond ASCII (use percent_encode), more than 4096 bytes,
/// a bad domain or path, `partitioned` and same_site::none without `secure`, and what the prefixes
/// "__Secure-" (secure) and "__Host-" (secure, path "/", no domain) ask for.
std::string set_cookie_text(std::string_view name, std::string_view value,
                            const cookie_options& options = {});

/// Signs values of cookies, so that only what this application made is taken back: for who is logged in and
/// its like. The value stays readable by everybody who has the cookie.
///
///     const weft::http::cookie_signer signer{keys, 24h};
///     out.set_cookie("__Host-session", signer.seal("__Host-session", id), {.max_age = 24h, .secure = true});
///     const auto id = signer.open("__Host-session", in.cookie("__Host-session").value_or(""));
///
/// The signature covers the name and an end, which counts whatever the browser does. Thread-safe. Lifetime:
/// the keys outlive it.
class cookie_signer {
 public:
  /// Throws weft::error (invalid_argument) for a time that is not above zero.
  cookie_signer(const wire::key_ring& keys, std::chrono::seconds valid_for);

  /// A text for set_cookie; about 80 bytes, and a third, longer than `value`, which may have any bytes.
  std::string seal(std::string_view name, std::string_view value) const;

  /// What was sealed under that name. Nothing for any other text, one that was changed, is too old, or was
  /// signed by a key that the ring does not have any more.
  std::optional<std::string> open(std::string_view name, std::string_view sealed) const;

 private:
  const wire::key_ring& keys_;
  std::chrono::seconds valid_for_;
};

}  // namespace weft::inline v1::http
