#pragma once

#include <optional>

#include <weft/core/unique_fd.hpp>

#include "workers/frame_stream.hpp"
#include "workers/protocol.hpp"
#include "workers/worker_duties.hpp"

// A worker whose client speaks the native protocol.

namespace weft::inline v1::workers::detail {

/// The client's first words. Nothing where it went, is no weft client, or was refused and told so.
std::optional<hello_frame> read_client_hello(frame_stream& stream);

/// Answers the hello. `monitor` is for a client that came through the listening socket.
void say_welcome(frame_stream& stream, const worker_program& program, const worker_settings& settings,
                 unique_fd monitor);

/// Serves calls until the client goes, which ends the process.
[[noreturn]] void serve_natively(frame_stream& stream, worker_duties& duties, const hello_frame& hello);

}  // namespace weft::inline v1::workers::detail
