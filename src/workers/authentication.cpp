#include "workers/authentication.hpp"

#include <weft/codec/bytes.hpp>
#include <weft/core/error.hpp>
#include <weft/process/self.hpp>
#include <weft/wire/envelope.hpp>
#include <weft/wire/random.hpp>

namespace weft::inline v1::workers::detail {

namespace {

constexpr std::size_t nonce_bytes = 32;
constexpr std::size_t envelope_bytes_max = 4096;

// What both ends sign: both nonces, of one length.
bytes statement(std::string_view clients_nonce, std::string_view servers_nonce) {
  return to_bytes(std::string(clients_nonce).append(servers_nonce));
}

bool is_signed(const wire::key_ring& keys, std::string_view purpose, std::string_view envelope,
               const bytes& expected) {
  try {
    return wire::verify(keys, purpose, as_bytes(envelope), envelope_bytes_max) == expected;
  } catch (const error&) {
    return false;
  }
}

}  // namespace

std::string make_nonce() { return std::string(as_text(wire::random_bytes(nonce_bytes))); }

std::string check_client(frame_stream& stream, const wire::key_ring& keys, std::string_view clients_nonce,
                         const wanted_access& wanted) {
  if (clients_nonce.empty()) {
    return "this server is for clients that have a key; set " + std::string(wanted.clients_keys);
  }
  if (clients_nonce.size() != nonce_bytes) return "its first frame is malformed";
  const std::string nonce = make_nonce();
  const auto both = statement(clients_nonce, nonce);
  const auto envelope = wire::sign(keys, wanted.servers_purpose, both);
  bytes out;
  write_frame(out, challenge_frame{nonce, std::string(as_text(envelope))});
  const auto until = deadline_after(wanted.proves_within);
  wire::frame got;
  if (stream.write(out, until) != stream_end::ok || stream.read(got, until) != stream_end::ok ||
      static_cast<frame_type>(got.type) != frame_type::proof) {
    return "the client did not prove in time that it has a key";
  }
  if (!is_signed(keys, wanted.clients_purpose, read_proof(got), both)) {
    return "the client's key is none of this server's";
  }
  return {};
}

bytes prove(const wire::key_ring& keys, const wire::frame& challenge, std::string_view nonce,
            const wanted_access& wanted) {
  const auto asked = read_challenge(challenge);
  if (asked.nonce.size() != nonce_bytes) {
    throw error(errc::malformed, "workers: connect: the server's challenge is malformed");
  }
  const auto both = statement(nonce, asked.nonce);
  if (!is_signed(keys, wanted.servers_purpose, asked.envelope, both)) {
    throw error(errc::refused,
                "workers: connect: the server's key is none of " + std::string(wanted.clients_keys));
  }
  const auto envelope = wire::sign(keys, wanted.clients_purpose, both);
  bytes out;
  write_proof(out, as_text(envelope));
  return out;
}

}  // namespace weft::inline v1::workers::detail
