#pragma once

#include "workers/byte_stream.hpp"
#include "workers/worker_duties.hpp"

// A worker whose client speaks the older protocol.

namespace weft::inline v1::workers::detail::compat {

/// Answers one message after the other, in their order, until the client goes, which ends the process. A
/// message that cannot be read ends it too, once those before are answered; the reason is logged. A worker
/// that is to leave between two checkouts gives its client back over `link`, so that no word of it is lost.
[[noreturn]] void serve(byte_stream& client, worker_duties& duties, int link);

}  // namespace weft::inline v1::workers::detail::compat
