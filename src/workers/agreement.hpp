#pragma once

#include <atomic>

#include "workers/link.hpp"

namespace weft::workers::detail {

/// What a pool has learnt of the server that it connects to. It may become another one at any time.
enum class server_kind : unsigned char { unknown, native, compatible };

/// Settles what is spoken on a link to a server that was asked, and begins with it. A server that has said
/// nothing is given a while, but for one that is known to be of the older kind; and `needs_native` waits
/// longer and throws weft::error (unsupported). Throws worker_died, call_timed_out.
void agree(worker_link& link, const client_options& options, std::atomic<server_kind>& known,
           bool needs_native, steady_time until);

/// A closure was to be called where only the compatible protocol is spoken.
[[noreturn]] void throw_not_native(const client_options& options);

}  // namespace weft::workers::detail
