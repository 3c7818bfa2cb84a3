#include <algorithm>
#include <array>
#include <cstdint>

#include <weft/codec/bytes.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/http/cookie.hpp>
#include <weft/wire/base64.hpp>
#include <weft/wire/envelope.hpp>
#include <weft/wire/key_ring.hpp>

// A sealed value is the base64 of an envelope, whose purpose names the cookie and whose body is the end
// (seconds of the wall clock, 8 bytes, the highest first) and the value.

namespace weft::inline v1::http {

namespace {

constexpr std::size_t end_bytes = 8;
constexpr std::size_t sealed_bytes_max = 8 * 1024;  // more than a cookie has

std::string purpose_of(std::string_view name) { return "weft.http.cookie:" + std::string(name); }

std::int64_t now_seconds() {
  return std::chrono::floor<std::chrono::seconds>(wall_clock::now()).time_since_epoch().count();
}

}  // namespace

cookie_signer::cookie_signer(const wire::key_ring& keys, std::chrono::seconds valid_for)
    : keys_(keys), valid_for_(valid_for) {
  if (valid_for.count() <= 0)
    throw error(errc::invalid_argument, "http: cookie_signer: the time must be above zero");
}

std::string cookie_signer::seal(std::string_view name, std::string_view value) const {
  std::int64_t end = 0;
  if (__builtin_add_overflow(now_seconds(), valid_for_.count(), &end)) end = INT64_MAX;
  bytes body;
  body.reserve(end_bytes + value.size());
  for (int shift = 56; shift >= 0; shift -= 8) body.push_back(static_cast<std::byte>(end >> shift & 0xff));
  const auto text = as_bytes(value);
  body.insert(body.end(), text.begin(), text.end());
  return wire::to_base64(wire::sign(keys_, purpose_of(name), body));
}

std::optional<std::string> cookie_signer::open(std::string_view name, std::string_view sealed) const {
  if (sealed.size() > sealed_bytes_max) return std::nullopt;
  const std::optional<bytes> envelope = wire::from_base64(sealed);
  if (!envelope) return std::nullopt;
  try {
    const bytes body = wire::verify(keys_, purpose_of(name), *envelope);
    if (body.size() < end_bytes) return std::nullopt;
    std::int64_t end = 0;
    for (std::size_t i = 0; i < end_bytes; ++i) end = end << 8 | std::to_integer<std::int64_t>(body[i]);
    if (now_seconds() >= end) return std::nullopt;
    return std::string(as_text(std::span(body).subspan(end_bytes)));
  } catch (const error&) {  // whatever is wrong with it, it is none of ours
    return std::nullopt;
  }
}

}  // namespace weft::inline v1::http
