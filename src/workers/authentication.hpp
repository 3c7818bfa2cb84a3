#pragma once

#include <string>

#include <weft/wire/key_ring.hpp>

#include "workers/frame_stream.hpp"
#include "workers/protocol.hpp"

// Both ends of a connection show each other that they know a key, without telling it. Who has listened to
// that learns nothing that another connection takes. docs/formats/worker.md, "Who may connect".

namespace weft::workers::detail {

/// For a hello: never used before.
std::string make_nonce();

/// The worker's end, after the hello. Empty where the client knows one of the keys; else why it is refused.
/// Bounded in time. Nothing was taken from an unknown client but its hello.
std::string check_client(frame_stream& stream, const wire::key_ring& keys, const hello_frame& hello);

/// The client's end: the proof, a whole frame, for the challenge. Throws weft::error (refused) where the
/// server does not know the key; malformed.
bytes prove(const wire::key_ring& keys, const wire::frame& challenge, const std::string& nonce);

}  // namespace weft::workers::detail
