#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <weft/wire/key_ring.hpp>

#include "workers/frame_stream.hpp"
#include "workers/protocol.hpp"

// Both ends of a connection show each other that they know a key, without telling it. Who has listened to
// that learns nothing that another connection takes. docs/formats/worker.md, "Who may connect".

namespace weft::inline v1::workers::detail {

/// What a client wants once both ends have proved themselves. A proof for one is none for the other, and a
/// proof of one end none of the other.
struct wanted_access {
  std::string_view servers_purpose;
  std::string_view clients_purpose;
  std::string_view clients_keys;       ///< where a client gets them from, for errors
  std::chrono::seconds proves_within;  ///< how long a client may take
};
inline constexpr wanted_access access_to_calls{"weft.workers.server", "weft.workers.client",
                                               "client_options::keys", std::chrono::seconds(5)};
// Few are told at a time, so who does not prove himself keeps others waiting.
inline constexpr wanted_access access_to_status{"weft.workers.status.server", "weft.workers.status.client",
                                                "the keys of server_status", std::chrono::seconds(1)};

/// For a hello or a status request: never used before.
std::string make_nonce();

/// The server's end, when the client has told its nonce. Empty where the client knows one of the keys; else
/// why it is refused. Bounded in time. Nothing was taken from an unknown client but its first frame.
std::string check_client(frame_stream& stream, const wire::key_ring& keys, std::string_view clients_nonce,
                         const wanted_access& wanted);

/// The client's end: the proof, a whole frame, for the challenge. Throws weft::error (refused) where the
/// server does not know the key; malformed.
bytes prove(const wire::key_ring& keys, const wire::frame& challenge, std::string_view nonce,
            const wanted_access& wanted);

}  // namespace weft::inline v1::workers::detail
