#pragma once

#include <atomic>
#include <chrono>

#include "workers/link.hpp"

namespace weft::inline v1::workers::detail {

/// What a pool has learnt of the server that it connects to. It may become another one at any time.
enum class server_kind : unsigned char { unknown, native, compatible };

/// How long a server may take to accept the native protocol.
struct agreement_bounds {
  /// From when the connection was made. A worker of weft needs about a millisecond.
  std::chrono::milliseconds accepts_within{250};
  /// One that is surely of weft, or has to be.
  std::chrono::milliseconds surely_accepts_within{5000};
};

/// Settles what is spoken on a link to a server that was asked, and begins with it. A server that has said
/// nothing is given a while, but for one that is known to be of the older kind; and `needs_native` waits
/// longer and throws weft::error (unsupported). One that was known to be of weft and is silent is an error
/// (unavailable), and known no longer. Throws worker_died, call_timed_out.
void agree(worker_link& link, const client_options& options, std::atomic<server_kind>& known,
           bool needs_native, steady_time until, const agreement_bounds& bounds = {});

/// A closure was to be called where only the compatible protocol is spoken.
[[noreturn]] void throw_not_native(const client_options& options);

}  // namespace weft::inline v1::workers::detail
