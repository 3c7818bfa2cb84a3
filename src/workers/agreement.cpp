#include "workers/agreement.hpp"

#include <algorithm>

#include <weft/core/error.hpp>
#include <weft/workers/errors.hpp>

#include "workers/recognition.hpp"

// A worker of the older protocol never answers an offer, so only time tells. Nothing hangs on whether the
// time was enough: an acceptance that comes later is dropped where the replies are read, and remembered.

namespace weft::inline v1::workers::detail {

namespace {

steady_time patience(const worker_link& link, server_kind known, bool needs_native, steady_time until,
                     const agreement_bounds& bounds) {
  const auto now = steady_clock::now();
  if (known == server_kind::native || (needs_native && known == server_kind::unknown)) {
    return std::min(until, now + bounds.surely_accepts_within);
  }
  if (known == server_kind::compatible && !needs_native) return now;
  // A call with little time keeps half of it for itself.
  const auto half = until == no_deadline ? no_deadline : now + (until - now) / 2;
  return std::min(half, link.started + bounds.accepts_within);
}

void go_on_compatibly(worker_link& link, const client_options& options) {
  link.connection.refuse_descriptors();
  link.messages.emplace(link.connection, options.message_bytes_max);
  if (options.protocol == protocol_choice::automatic) link.messages->expect_acceptance();
  link.message_bytes_max = options.message_bytes_max;
  link.wants_release = true;
  link.welcomed = true;
}

[[noreturn]] void throw_silent(const client_options& options) {
  throw error(errc::unavailable, "workers: call: the server at \"" + options.connect +
                                     "\", which was of weft, did not answer; try again");
}

}  // namespace

void throw_not_native(const client_options& options) {
  throw error(errc::unsupported,
              "workers: call a closure: the server at \"" + options.connect +
                  "\" speaks the compatible protocol only, in which functions are called by name");
}

void agree(worker_link& link, const client_options& options, std::atomic<server_kind>& known,
           bool needs_native, steady_time until, const agreement_bounds& bounds) {
  if (!link.is_asked) return;
  auto answer = stream_end::timed_out;
  if (options.protocol == protocol_choice::automatic) {
    answer = read_acceptance(link.connection, patience(link, known, needs_native, until, bounds));
  }
  if (answer == stream_end::closed) throw death_of(link, options, "before it was asked anything");
  if (answer == stream_end::ok) {
    known = server_kind::native;
    say_hello(link, options, -1, until);
  } else {
    // It may be of the other kind from now on, or busy.
    auto was = server_kind::native;
    const bool is_silent = known.compare_exchange_strong(was, server_kind::unknown);
    if (steady_clock::now() >= until) {
      throw call_timed_out("workers: call: the server did not say in time what it speaks", true);
    }
    if (is_silent) throw_silent(options);
    known = server_kind::compatible;
    if (needs_native) throw_not_native(options);
    go_on_compatibly(link, options);
  }
  link.is_asked = false;
}

}  // namespace weft::inline v1::workers::detail
