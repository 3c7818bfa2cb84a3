#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include <sys/types.h>

#include <weft/closure/closure.hpp>
#include <weft/process/limits.hpp>
#include <weft/wire/binary.hpp>
#include <weft/wire/json_value.hpp>
#include <weft/workers/errors.hpp>
#include <weft/workers/protocol_choice.hpp>
#include <weft/workers/start_mode.hpp>

namespace weft::workers {

/// What a pool of workers is and how far it may go.
struct client_options {
  std::string connect = {};     ///< "unix:/path" or "host:port" of a server, weft's or Perl's AnyEvent::Task;
                                ///< empty: workers of this program
  std::string name = {};        ///< in process titles, logs and errors
  std::size_t min_workers = 2;  ///< started in advance, and again when they die
  std::size_t max_workers = 20;  ///< at a time
  std::optional<std::chrono::nanoseconds> timeout =
      std::chrono::seconds(30);          ///< of a call, waiting included
  std::size_t max_checkouts = 0;         ///< a worker is replaced after so many; 0: never
  std::size_t max_waiting = 10'000;      ///< calls in line; more are refused at once
  bool dont_refork_after_error = false;  ///< keep a worker whose call failed; by default it is replaced
  start_mode start = start_mode::automatic;
  protocol_choice protocol = protocol_choice::automatic;  ///< with a server of another program
  std::chrono::nanoseconds hung_worker_timeout = std::chrono::minutes(
      5);  ///< a call that takes longer ends its worker by SIGALRM, also without a client; 0: never
  std::chrono::milliseconds kill_grace{100};         ///< between SIGTERM and SIGKILL
  std::size_t message_bytes_max = 16 * 1024 * 1024;  ///< arguments or answer of one call
  std::size_t stack_bytes = 1024 * 1024;             ///< of a called function's fiber, in the worker
  process::limits limits = {};                       ///< of each worker
};

/// What may differ for one checkout.
struct checkout_options {
  std::optional<std::chrono::nanoseconds> timeout = {};  ///< instead of the pool's
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
};

namespace detail {

class pool;
struct worker_link;

/// What a call is sent as. The form of its arguments is known once there is a worker to ask.
struct call_request {
  bool is_closure = false;
  std::string_view target;  ///< name in the interface, or the closure's identity
  const void* arguments = nullptr;
  void (*encode)(const void* arguments, encoder& out) = nullptr;
};

/// What comes back, in the form that was spoken.
struct call_answer {
  bytes binary = {};
  std::optional<wire::json_value> json = {};
};

/// Text literals travel as strings.
template <typename Arg>
using sent_type =
    std::conditional_t<std::is_convertible_v<const Arg&, std::string_view>, std::string, std::decay_t<Arg>>;

template <typename Tuple>
void encode_arguments(const void* arguments, encoder& out) {
  weft::encode(out, *static_cast<const Tuple*>(arguments));
}

template <typename Closure>
void encode_closure_arguments(const void* closure, encoder& out) {
  static_cast<const Closure*>(closure)->encode_arguments(out);
}

template <typename Closure>
struct closure_traits;
template <typename Result>
struct closure_traits<closure<Result>> {
  using result = Result;
};
template <typename Closure>
using result_of = typename closure_traits<Closure>::result;

template <typename Result>
Result decode_answer(const call_answer& answer) {
  if constexpr (!std::is_void_v<Result>) {
    if (!answer.json) return wire::from_binary<Result>(answer.binary);
    wire::json_value_decoder in(*answer.json, wire::perl_json_style);
    return weft::decode<Result>(in);
  }
}

}  // namespace detail

/// The right to one worker: exclusive from the first call until the checkout ends.
///
/// A call joins the pool's line if the checkout holds no worker yet; the line is served in order of
/// arrival. After an error of the called function the checkout goes on with the same worker. After
/// the end of the worker (it died, was killed at a timeout, exited) every further call throws the
/// same error at once. Used by one task at a time. Waits suspend a fiber and block a plain thread.
class checkout {
 public:
  checkout(checkout&&) noexcept;
  checkout& operator=(checkout&&) noexcept;
  ~checkout();

  /// Calls a function of the interface; the answer is decoded as `Result`. The empty name is for the function
  /// without one. A function of unknown type takes and gives wire::json_value.
  ///
  /// Throws what the function threw, as its registered type, else as remote_error (or raised_value, from a
  /// server of another kind); worker_died,
  /// call_timed_out, worker_exited, start_failed; weft::error: too_large for arguments over
  /// message_bytes_max, resource_exhausted where the line is full. Log records of the call join the
  /// caller's log. Cancelled or past the task's deadline the call is given up, and its worker
  /// killed if it does not stop at once.
  template <typename Result = void, typename... Args>
  Result call(std::string_view name, const Args&... args) {
    using sent = std::tuple<detail::sent_type<Args>...>;
    const sent arguments{detail::sent_type<Args>(args)...};
    return detail::decode_answer<Result>(
        exchange({false, name, &arguments, &detail::encode_arguments<sent>}));
  }

  /// Runs a closure in the worker, with services made there. Errors as above; unsupported where the server
  /// is none of weft's.
  template <typename Closure>
    requires weft::detail::is_closure<Closure>
  auto call(const Closure& what) {
    const std::string identity = what.identity().text();
    return detail::decode_answer<detail::result_of<Closure>>(
        exchange({true, identity, &what, &detail::encode_closure_arguments<Closure>}));
  }

  /// The worker held; -1 before the first call.
  pid_t worker_pid() const noexcept;

 private:
  friend class client;
  checkout(std::shared_ptr<detail::pool> pool, std::optional<std::chrono::nanoseconds> timeout) noexcept;
  detail::call_answer exchange(const detail::call_request& request);
  void give_back() noexcept;

  std::shared_ptr<detail::pool> pool_;
  std::optional<std::chrono::nanoseconds> timeout_;
  std::unique_ptr<detail::worker_link> link_;  // null: holds no worker
  std::exception_ptr broken_;                  // thrown by every further call
};

/// A pool of worker processes: calls run in them, isolated, and are killed on time.
///
/// Choose it for code that may block, leak, crash or run too long; a thread_pool for code that is
/// merely slow. Thread-safe: called from any fiber or thread. Its workers end with it, except those
/// that a checkout still holds.
class client {
 public:
  explicit client(client_options options = {});
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;
  ~client();

  /// Never waits: the checkout takes a worker at its first call.
  workers::checkout checkout(checkout_options options = {});

  /// Runs a closure in a worker and waits for its result. Errors as checkout::call.
  template <typename Closure>
    requires weft::detail::is_closure<Closure>
  auto call(const Closure& what) {
    return checkout().call(what);
  }
  /// Calls a function of the interface.
  template <typename Result = void, typename... Args>
  Result call(std::string_view name, const Args&... args) {
    return checkout().template call<Result>(name, args...);
  }

  client_statistics statistics() const;
  const client_options& options() const noexcept;

 private:
  friend class worker_runner;
  std::shared_ptr<detail::pool> pool_;
};

}  // namespace weft::workers
