#include <weft/wire/envelope.hpp>

#include "wire/big_endian.hpp"
#include "wire/key_ring_state.hpp"

// version (1 byte, 1) | length of the id (1) | id | length of the body (4) | body | HMAC-SHA-256 (32)

namespace weft::inline v1::wire {
namespace {

constexpr unsigned envelope_version_1 = 1;
constexpr std::size_t mac_bytes = 32;

struct envelope_parts {
  std::string_view key_id;
  std::span<const std::byte> body;
  std::span<const std::byte> signed_part;
  std::span<const std::byte> mac;
};

[[noreturn]] void throw_malformed(const std::string& why) {
  throw error(errc::malformed, "verify: not a signed envelope: " + why);
}

void check_version(std::span<const std::byte> envelope) {
  if (envelope.size() < 2) throw_malformed("it has " + std::to_string(envelope.size()) + " bytes");
  const auto version = std::to_integer<unsigned>(envelope[0]);
  if (version == envelope_version_1) return;
  if (version == 0 || version > envelope_version_max)
    throw_malformed("it begins with " + std::to_string(version));
  throw error(errc::unsupported, "verify: an envelope of version " + std::to_string(version) +
                                     ", and this build knows 1 only; use a newer one");
}

envelope_parts split_envelope(std::span<const std::byte> envelope) {
  check_version(envelope);
  const auto id_size = std::to_integer<std::size_t>(envelope[1]);
  const std::size_t body_at = 2 + id_size + 4;
  if (id_size == 0 || envelope.size() < body_at + mac_bytes) throw_malformed("it is cut off");
  const std::uint64_t body_size = read_big_endian(envelope.subspan(2 + id_size, 4));
  if (envelope.size() - body_at - mac_bytes != body_size) throw_malformed("its length does not fit its body");
  return {as_text(envelope.subspan(2, id_size)), envelope.subspan(body_at, body_size),
          envelope.first(body_at + body_size), envelope.subspan(body_at + body_size)};
}

void require_purpose_to_sign(std::string_view purpose) {
  if (purpose.empty()) throw error(errc::invalid_argument, "sign: the purpose is empty");
}

}  // namespace

unknown_key::unknown_key(std::string id)
    : error(errc::not_found, "verify: signed with the key \"" + id + "\", which the key ring does not have"),
      id_(std::move(id)) {}

key_is_retired::key_is_retired(std::string id)
    : error(errc::refused, "verify: made with the key \"" + id +
                               "\", which was retired; what is still wanted has to be made again"),
      id_(std::move(id)) {}

bytes sign(const key_ring& keys, std::string_view purpose, std::span<const std::byte> body) {
  require_purpose_to_sign(purpose);
  if (body.size() > UINT32_MAX) throw error(errc::too_large, "sign: the body is over 4 GiB");
  const key& signer = keys.state_->keys.front();
  bytes out;
  out.reserve(2 + signer.id().size() + 4 + body.size() + mac_bytes);
  append_big_endian(out, envelope_version_1, 1);
  append_big_endian(out, signer.id().size(), 1);
  const auto id = as_bytes(signer.id());
  out.insert(out.end(), id.begin(), id.end());
  append_big_endian(out, body.size(), 4);
  out.insert(out.end(), body.begin(), body.end());
  const auto mac = keys.state_->sign(signer, purpose, out);
  out.insert(out.end(), mac.begin(), mac.end());
  return out;
}

bytes verify(const key_ring& keys, std::string_view purpose, std::span<const std::byte> envelope,
             std::size_t bytes_max) {
  require_purpose_to_sign(purpose);
  if (envelope.size() > bytes_max) {
    throw error(errc::too_large, "verify: an envelope of " + std::to_string(envelope.size()) +
                                     " bytes is over the limit of " + std::to_string(bytes_max));
  }
  const auto parts = split_envelope(envelope);
  const key& signer = keys.state_->find_named(parts.key_id);
  const auto mac = keys.state_->sign(signer, purpose, parts.signed_part);
#ifdef WEFT_BUG_2
  const bool fits = mac.size() == parts.mac.size();
#else
  const bool fits = equal_in_constant_time(mac, parts.mac);
#endif
  if (!fits) {
    throw error(errc::bad_signature, "verify: the signature made with key \"" + signer.id() + "\" for \"" +
                                         std::string(purpose) +
                                         "\" does not fit; the bytes were changed, or "
                                         "signed for something else or with another key of that name");
  }
  return {parts.body.begin(), parts.body.end()};
}

std::string key_id_of(std::span<const std::byte> envelope) {
  return std::string(split_envelope(envelope).key_id);
}

std::span<const std::byte> unverified_body_of(std::span<const std::byte> envelope) {
  return split_envelope(envelope).body;
}

}  // namespace weft::inline v1::wire
