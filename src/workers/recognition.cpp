#include "workers/recognition.hpp"

#include <optional>
#include <string>

#include <weft/codec/bytes.hpp>
#include <weft/core/error.hpp>

#include "workers/protocol.hpp"

namespace weft::workers::detail {

namespace {

std::optional<char> read_byte(byte_stream& client) {
  char one = 0;
  std::size_t got = 0;
  if (client.read_some(std::span(&one, 1), got, no_deadline) != stream_end::ok) return std::nullopt;
  return one;
}

}  // namespace

peer recognise(byte_stream& client) {
  std::string said;
  while (true) {
    const auto one = read_byte(client);
    if (!one) return peer::gone;
    said += *one;
    if (said == native_offer) {
      if (client.write(as_bytes(native_magic), no_deadline) != stream_end::ok) return peer::gone;
      said.clear();
      continue;
    }
    // After an offer the client may still choose, and the first byte tells.
    if (said.front() == native_magic.front()) {
      client.unread(said);
      return peer::native;
    }
    if (!native_offer.starts_with(said)) {
      client.unread(said);
      return peer::compatible;
    }
  }
}

stream_end read_acceptance(byte_stream& worker, steady_time until) {
  std::string said;
  while (said.size() < native_magic.size()) {
    char one = 0;
    std::size_t got = 0;
    if (const auto end = worker.read_some(std::span(&one, 1), got, until); end != stream_end::ok) {
      worker.unread(said);
      return end;
    }
    said += one;
    if (native_magic.substr(0, said.size()) != said) {
      throw error(errc::malformed,
                  "workers: connect: the server speaks before it is asked, so it is none of workers");
    }
  }
  return stream_end::ok;
}

}  // namespace weft::workers::detail
