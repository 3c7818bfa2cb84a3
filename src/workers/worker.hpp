#pragma once

#include <functional>

#include <sys/types.h>

#include <weft/closure/services.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/workers/interfaces.hpp>

#include "workers/fork_server.hpp"
#include "workers/protocol.hpp"

namespace weft::workers::detail {

/// What a worker runs.
struct worker_program {
  services* provided = nullptr;
  const interfaces* offered = nullptr;
  std::function<void(services&)> setup;  ///< before the first call; empty: nothing to do
  worker_settings settings;              ///< where the client may not say
  bool client_decides = true;            ///< take the settings from the client's hello
  bool allows_closures = true;           ///< run what the client names, not only the interface
  std::size_t message_bytes_max = 16 * 1024 * 1024;
};

/// The life of a worker process: hello, calls, until its client goes. Gives the exit status.
int run_worker(worker_descriptors descriptors, const worker_program& program);

}  // namespace weft::workers::detail
