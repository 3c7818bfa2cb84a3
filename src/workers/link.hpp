#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <weft/core/clock.hpp>
#include <weft/workers/client.hpp>

#include "workers/compat/message_stream.hpp"
#include "workers/frame_stream.hpp"
#include "workers/protocol.hpp"
#include "workers/worker_handle.hpp"

namespace weft::workers::detail {

/// One worker and the connection to it. One task at a time.
struct worker_link {
  worker_link(unique_fd socket, std::size_t payload_bytes_max, std::unique_ptr<worker_handle> its_handle)
      : connection(std::move(socket)), stream(connection, payload_bytes_max), handle(std::move(its_handle)) {}

  /// Never waits: is the worker there, with nothing said that nobody asked for?
  bool is_quiet() noexcept { return messages ? messages->is_quiet() : stream.is_quiet(); }

  byte_stream connection;
  frame_stream stream;                             ///< over the connection, where it is native
  std::optional<compat::message_stream> messages;  ///< over the connection, where it is compatible
  bool is_asked = false;                           ///< which of them it is to be is open
  std::unique_ptr<worker_handle> handle;  ///< null: of another program, and it has not said welcome yet
  bool spawned = false;                   ///< must reach weft::main first
  bool welcomed = false;
  bool wants_release = false;         ///< is to be told of the end of a checkout
  bool failed = false;                ///< a call ended with an error
  std::size_t message_bytes_max = 0;  ///< what the worker accepts
  std::uint64_t next_call = 1;
  std::size_t checkouts = 0;
  steady_time started = steady_clock::now();
};

/// What ends an exchange apart from an answer; the link is of no more use then.
enum class link_end : unsigned char { closed, timed_out };

/// Starts a worker as the options say and says hello to it. A worker that is not there yet is waited
/// for until `until`. Throws start_failed.
std::unique_ptr<worker_link> open_link(const client_options& options, steady_time until);

/// Begins the native protocol. `keep_alive` goes along where there is one.
void say_hello(worker_link& link, const client_options& options, int keep_alive, steady_time until);

/// Reads the worker's welcome. Throws start_failed if it refuses, worker_died, call_timed_out.
void await_welcome(worker_link& link, const client_options& options, steady_time until);

/// Ends the process of the link and waits for that, at most a little longer than the grace. Not
/// cancelled. Gives its status where known. `polite` is the time it has to end by itself, before
/// any signal.
process::exit_status end_process(worker_link& link, const client_options& options,
                                 std::chrono::milliseconds polite) noexcept;

/// The error of a worker that closed its connection in the middle of `what`.
worker_died death_of(worker_link& link, const client_options& options, const std::string& what);

}  // namespace weft::workers::detail
