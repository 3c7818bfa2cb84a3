#pragma once

#include <sys/types.h>

#include <weft/closure/services.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/wire/key_ring.hpp>
#include <weft/workers/interfaces.hpp>
#include <weft/workers/worker_hook.hpp>

#include "workers/fork_server.hpp"
#include "workers/protocol.hpp"

namespace weft::inline v1::workers::detail {

/// What a worker runs.
struct worker_program {
  services* provided = nullptr;
  const interfaces* offered = nullptr;
  worker_hook setup;                     ///< before the first call; empty: nothing to do
  worker_settings settings;              ///< where the client may not say
  bool client_decides = true;            ///< take the settings from the client's hello
  const wire::key_ring* keys = nullptr;  ///< that clients have to know one of; null: they need not
  bool allows_closures = true;           ///< run what the client names, not only the interface
  bool follows_checkouts = false;        ///< wants to know when they end: it may be asked to finish
  std::size_t message_bytes_max = 16 * 1024 * 1024;
  std::size_t max_calls = 10'000;  ///< that run at a time, of a client that speaks natively
};

/// The life of a worker process: hello, calls, until its client goes. Gives the exit status.
int run_worker(worker_descriptors descriptors, const worker_program& program);

}  // namespace weft::inline v1::workers::detail
