#pragma once

#include <functional>
#include <string_view>

#include <weft/core/unique_fd.hpp>

#include "workers/byte_stream.hpp"
#include "workers/fork_server.hpp"

// What a listening server and its workers say to each other, over a socket that keeps message borders: the
// server hands a client to a worker that was forked in advance, and asks a worker to end with its checkout.
// The worker says one thing, once: whose client it gives back. Its figures are in its slot.
//
// A server that was replaced hands the clients that have no worker to its successor in the same way.

namespace weft::inline v1::workers::detail {

/// The exit status of a worker whose client may not call it or did not keep to the protocol (EX_PROTOCOL):
/// the fault of that client only, so no reason to stop forking for others.
inline constexpr int client_at_fault = 76;

/// So many bytes of a client's words may go along with it: what is read at once, so the rest of a read always
/// does.
inline constexpr std::size_t said_bytes_max = piece_bytes;

// In the server. Neither waits.

/// A client, and what its worker hands on to it. False where the worker is gone.
bool send_client(const unique_fd& link, const unserved_client& client, const unique_fd& hand_over);
void send_finish(const unique_fd& link);
/// What became of a client that was to go to the successor.
enum class handed_on : unsigned char {
  yes,
  not_yet,  ///< no room there
  failed,   ///< by errno, but the next time may do
  never     ///< by errno: there is no successor any more
};
handed_on send_to_successor(const unique_fd& link, const unserved_client& client);
/// What comes to the successor.
enum class handed_over : unsigned char {
  one,
  none_yet,
  no_descriptor,  ///< is free here for the one that is there, and stays there
  no_more
};
handed_over take_from_predecessor(const unique_fd& link, unserved_client& client);
/// After the worker's end: the client that it gave back, if there is one.
unserved_client take_returned(const unique_fd& link);

// In the worker.

/// Waits until the server sends a client. False where it needs this worker no more.
bool await_client(worker_descriptors& worker);

/// Gives a client of the older protocol back to the server, with what was read of its next words. The worker
/// ends then.
void give_back(int link, int connection, std::string_view said) noexcept;

/// Calls `asked` in a fiber of the running loop once the server asks this worker to finish.
void when_asked_to_finish(int link, std::function<void()> asked);

}  // namespace weft::inline v1::workers::detail
