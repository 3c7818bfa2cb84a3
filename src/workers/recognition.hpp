#pragma once

#include <string_view>

#include "workers/byte_stream.hpp"

// How two ends find out whether both speak the native protocol. docs/formats/worker.md says it in words.

namespace weft::inline v1::workers::detail {

/// What a client that would like to speak natively says first to a server it does not know: white space,
/// which a worker of the older protocol passes over in silence and a worker of weft answers by native_magic.
inline constexpr std::string_view native_offer{" \t\r\n\t \r\n", 8};

/// Whom a worker has before it.
enum class peer : unsigned char { native, compatible, gone };

/// Waits for the client's first words, and answers an offer. What was read is unread.
peer recognise(byte_stream& client);

/// The client's side: has the offer been accepted by `until`? What is there of an acceptance that is not
/// complete is unread. Throws weft::error (malformed) for anything else.
stream_end read_acceptance(byte_stream& worker, steady_time until);

}  // namespace weft::inline v1::workers::detail
