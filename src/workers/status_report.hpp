#pragma once

#include <sys/types.h>

#include <weft/codec/bytes.hpp>
#include <weft/workers/server_status.hpp>

namespace weft::workers::detail {

/// Memory of a process; 0 where it is gone.
std::uint64_t resident_bytes_of(pid_t pid) noexcept;

/// The frame `status` with these figures; looks up the memory of each process.
bytes write_status(server_figures figures);

/// Sends it all; the process gives up after a while. For a process that has nothing else to do.
void send_status(int connection, server_figures figures);

}  // namespace weft::workers::detail
