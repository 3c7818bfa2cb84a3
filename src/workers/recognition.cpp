#include "workers/recognition.hpp"

#include <span>
#include <string>

#include <weft/codec/bytes.hpp>
#include <weft/core/error.hpp>

#include "workers/protocol.hpp"

namespace weft::inline v1::workers::detail {

namespace {

static_assert(native_offer.size() == native_magic.size());

/// Adds to `said` what there is of the offer or the answer to it, and no byte behind that.
stream_end read_more(byte_stream& from, std::string& said, steady_time until) {
  char piece[native_magic.size()];
  std::size_t got = 0;
  const auto end = from.read_some(std::span(piece).first(native_magic.size() - said.size()), got, until);
  if (end == stream_end::ok) said.append(piece, got);
  return end;
}

}  // namespace

peer recognise(byte_stream& client) {
  std::string said;
  while (true) {
    if (read_more(client, said, no_deadline) != stream_end::ok) return peer::gone;
    if (said == native_offer) {
      if (client.write(as_bytes(native_magic), no_deadline) != stream_end::ok) return peer::gone;
      said.clear();
      continue;
    }
    // After an offer the client may still choose.
    const bool is_native = said == native_magic;
    if (is_native || (!native_offer.starts_with(said) && !native_magic.starts_with(said))) {
      client.unread(said);
      return is_native ? peer::native : peer::compatible;
    }
  }
}

stream_end read_acceptance(byte_stream& worker, steady_time until) {
  std::string said;
  while (said.size() < native_magic.size()) {
    if (const auto end = read_more(worker, said, until); end != stream_end::ok) {
      worker.unread(said);
      return end;
    }
    if (native_magic.substr(0, said.size()) != said) {
      throw error(errc::malformed,
                  "workers: connect: the server speaks before it is asked, so it is none of workers");
    }
  }
  return stream_end::ok;
}

}  // namespace weft::inline v1::workers::detail
