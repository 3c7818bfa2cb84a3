#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/net/endpoint.hpp>

namespace weft::inline v1::net {

/// How names are looked up, by the system's resolver (getaddrinfo) on threads of the pool behind
/// weft::blocking.
struct resolver_options {
  std::size_t threads_max = 8;    ///< look-ups at once; those of other names wait
  std::size_t names_max = 1024;   ///< that are kept; above that those go which would end first
  std::chrono::seconds keep{30};  ///< how long addresses are kept: the system does not say how long they hold
  std::chrono::seconds keep_failed{1};  ///< the same for a name that has none, or could not be asked for
};

/// Since the process began.
struct resolver_statistics {
  std::uint64_t asked = 0;   ///< look-ups that the system was asked for
  std::uint64_t kept = 0;    ///< answers from what was kept
  std::uint64_t shared = 0;  ///< tasks that waited for a look-up of another one
  std::size_t running = 0;   ///< look-ups now
  std::size_t names = 0;     ///< that are kept now
};

/// The addresses of an endpoint's host, in the system's order, with its port; at least one.
///
/// Several tasks that want one name share one look-up. A task that gives up, by `until`, its deadline or a
/// cancellation, is free at once: the look-up goes on without it, and its answer is kept. stream::connect and
/// listener use the same. A cancellation point. Throws weft::error: not_found for a name without an address,
/// unavailable where the system could not ask, timed_out when `until` passed.
/// Thread-safety: any task and thread.
std::vector<endpoint> look_up(const endpoint& of, steady_time until = no_deadline);

/// For the process; from the next look-up on. Throws weft::error (invalid_argument) for a bound of 0.
/// Thread-safe.
void set_resolver_options(const resolver_options& options);
resolver_statistics get_resolver_statistics();
/// Forgets what is kept, e.g. when the machine has come to another network. Thread-safe.
void forget_names();

}  // namespace weft::inline v1::net
