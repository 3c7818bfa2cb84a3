#pragma once

#include <sys/types.h>

#include <weft/codec/bytes.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/wire/key_ring.hpp>
#include <weft/workers/server_status.hpp>

namespace weft::workers::detail {

/// Memory of a process; 0 where it is gone.
std::uint64_t resident_bytes_of(pid_t pid) noexcept;

/// The frame `status` with these figures; looks up the memory of each process.
bytes write_status(server_figures figures);

/// Reads the request and sends the figures or, where there are keys and the client knows none of them, why
/// not. For a process that has nothing else to do, and gives up after a while.
void answer_status(unique_fd connection, const wire::key_ring* keys, server_figures figures);

}  // namespace weft::workers::detail
