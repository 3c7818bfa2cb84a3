#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <weft/process/limits.hpp>
#include <weft/process/restrictions.hpp>
#include <weft/wire/key_ring.hpp>
#include <weft/workers/error_stacks.hpp>
#include <weft/workers/protocol_choice.hpp>
#include <weft/workers/recycling.hpp>
#include <weft/workers/restart_intensity.hpp>
#include <weft/workers/start_mode.hpp>

namespace weft::inline v1::workers {

class stand_in;

/// What a pool of workers is and how far it may go.
struct client_options {
  std::string connect = {};     ///< "unix:/path" or "host:port" of a server, weft's or Perl's AnyEvent::Task;
                                ///< empty: workers of this program
  std::string name = {};        ///< in process titles, logs and errors
  std::size_t min_workers = 2;  ///< started in advance, and again when they die
  std::size_t max_workers = 20;  ///< at a time
  std::optional<std::chrono::nanoseconds> timeout =
      std::chrono::seconds(30);  ///< of a call, waiting included
  std::chrono::nanoseconds idle_timeout =
      std::chrono::minutes(1);      ///< workers beyond min_workers that nobody used for so long end; 0: never
  restart_intensity restarts = {};  ///< when too many workers die by themselves, calls wait in line
  std::size_t max_checkouts = 0;    ///< a worker is replaced after so many; 0: never
  std::size_t max_waiting = 10'000;      ///< calls in line; more are refused at once
  bool dont_refork_after_error = false;  ///< keep a worker whose call failed; by default it is replaced
  start_mode start = start_mode::automatic;
  protocol_choice protocol = protocol_choice::automatic;  ///< with a server of another program
  bool wait_for_server =
      true;  ///< where nobody listens at `connect`, try again until the call's time is over
  /// For a server that has keys, too: both ends prove to each other that they share one. Only the native
  /// protocol is spoken then. What follows is neither encrypted nor signed: use it in networks that are
  /// trusted, or in a tunnel. Null: none.
  std::shared_ptr<const wire::key_ring> keys = {};
  /// A call that takes longer ends its worker by SIGALRM, also without a client, at most an eighth of this or
  /// 250 ms later; 0: never, and SIGALRM is the program's own. A server that listens kills those, a second
  /// later, that this does not end: stopped ones. Waits of calls in time are not interrupted; `::sleep`,
  /// `poll` and the like in the worker's main thread while no call runs may be, once after each call or
  /// pause.
  std::chrono::nanoseconds hung_worker_timeout = std::chrono::minutes(5);
  /// A called function that is cancelled and stops within this time keeps its worker; else that is ended.
  /// Who is cancelled waits so long for it, at most.
  std::chrono::milliseconds stop_grace{20};
  std::chrono::milliseconds kill_grace{100};         ///< between SIGTERM and SIGKILL
  std::size_t message_bytes_max = 16 * 1024 * 1024;  ///< arguments or answer of one call
  std::size_t stack_bytes = 1024 * 1024;             ///< of a called function's fiber, in the worker
  workers::error_stacks error_stacks = workers::error_stacks::addresses;  ///< of workers of this program
  process::limits limits = {};                                            ///< of each worker of this program
  process::restrictions restrictions = {};                                ///< of each worker of this program
  recycling recycle = {};  ///< of workers of this program: used enough; off
  /// For tests: answers the calls in the place of worker processes (testing::fake_workers). Null: none.
  std::shared_ptr<workers::stand_in> stand_in = {};
};

/// Figures of a pool; the counts are since its start.
struct client_statistics {
  std::size_t alive = 0;    ///< workers, started or being started
  std::size_t busy = 0;     ///< of them, held by a checkout
  std::size_t waiting = 0;  ///< calls in line
  std::uint64_t started = 0;
  std::uint64_t calls = 0;
  std::uint64_t deaths = 0;    ///< workers that ended without being asked
  std::uint64_t timeouts = 0;  ///< calls whose time passed
  std::uint64_t shrunk =
      0;  ///< workers that were idle too long, or used up, and had gone when they were looked at
  bool crash_loop = false;  ///< no worker is started for a while, as too many died; see restarts
};

}  // namespace weft::inline v1::workers
