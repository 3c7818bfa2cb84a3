#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <weft/codec/codec.hpp>
#include <weft/wire/key_ring.hpp>

namespace weft::inline v1::workers {

/// What a fork server is doing.
enum class server_state : unsigned char {
  running,
  crash_loop,  ///< pauses, because too many workers died or a fork failed
  stopping,    ///< checkouts end, clients that have spoken are served, and nobody new comes
};
WEFT_DESCRIBE_ENUM(server_state, running, crash_loop, stopping);

/// What a worker is doing.
enum class worker_state : unsigned char {
  ready,  ///< forked in advance, and waits for a client
  idle,   ///< has a client, and no call runs
  busy,
};
WEFT_DESCRIBE_ENUM(worker_state, ready, idle, busy);

/// One worker of a server.
struct worker_figures {
  std::int64_t pid = 0;
  worker_state state{};
  std::chrono::milliseconds age{0};
  std::uint64_t checkouts = 0;       ///< that have ended
  std::uint64_t calls = 0;           ///< that were begun
  std::uint64_t resident_bytes = 0;  ///< memory; 0 where it is gone
};
WEFT_DESCRIBE(worker_figures, pid, state, age, checkouts, calls, resident_bytes);

/// A server as it sees itself. The counts are since its start.
struct server_figures {
  std::int64_t pid = 0;
  std::string name;
  server_state state{};
  std::chrono::milliseconds resumes_in{0};  ///< the rest of the pause of a crash loop
  std::chrono::milliseconds age{0};
  std::uint64_t max_workers = 0;
  std::uint64_t waiting = 0;   ///< clients that wait for a worker
  std::uint64_t silent = 0;    ///< clients that say nothing, and have none
  std::uint64_t forked = 0;    ///< workers
  std::uint64_t died = 0;      ///< of them by themselves: by a signal or with a status other than 0
  std::uint64_t recycled = 0;  ///< of them replaced as `recycling` says
  std::uint64_t refused = 0;   ///< clients that may not connect, or that got no worker
  std::uint64_t resident_bytes = 0;
  std::vector<worker_figures> workers;
};
WEFT_DESCRIBE(server_figures, pid, name, state, resumes_in, age, max_workers, waiting, silent, forked, died,
              recycled, refused, resident_bytes, workers);

/// Asks the server at `address` what it is doing; it answers without a worker, so also in a crash loop or
/// with all workers busy. A server that has keys tells who knows one of them, and with `keys` it has to prove
/// that it does; the figures themselves are not signed. Waits, at most for `bound`; a cancellation point.
/// Throws weft::error: unavailable where nobody listens, it does not answer within `bound`, or what listens
/// is none of weft's servers; refused where the keys of both do not fit.
server_figures server_status(std::string_view address,
                             std::chrono::nanoseconds bound = std::chrono::seconds(5),
                             const std::shared_ptr<const wire::key_ring>& keys = nullptr);

}  // namespace weft::inline v1::workers
