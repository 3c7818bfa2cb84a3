#pragma once

#include <weft/codec/bytes.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/wire/key_ring.hpp>
#include <weft/workers/server_status.hpp>

namespace weft::inline v1::workers::detail {

/// The frame `status` with these figures; looks up the memory of each process.
bytes write_status(server_figures figures);

/// Reads the request and sends the figures or, where there are keys and the client knows none of them, why
/// not. For a process that has nothing else to do, and gives up after a while.
void answer_status(unique_fd connection, const wire::key_ring* keys, server_figures figures);

}  // namespace weft::inline v1::workers::detail
