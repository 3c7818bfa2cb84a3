#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <weft/core/clock.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/workers/client.hpp>
#include <weft/workers/stand_in.hpp>

#include "workers/compat/message_stream.hpp"
#include "workers/frame_stream.hpp"
#include "workers/native_channel.hpp"
#include "workers/protocol.hpp"
#include "workers/worker_handle.hpp"

namespace weft::inline v1::workers::detail {

/// One worker and the connection to it. One task at a time until there is a channel; then calls of several
/// tasks go over that.
struct worker_link {
  worker_link(unique_fd socket, std::size_t payload_bytes_max, std::unique_ptr<worker_handle> its_handle)
      : connection(std::move(socket)), stream(connection, payload_bytes_max), handle(std::move(its_handle)) {}

  /// Never waits: is the worker there, with nothing said that nobody asked for?
  bool is_quiet() noexcept {
    return stands_in != nullptr || (messages ? messages->is_quiet() : stream.is_quiet());
  }
  /// -1 while it is not known.
  pid_t pid() { return handle != nullptr && handle->pid() > 0 ? handle->pid() : said_pid; }
  /// Never waits: does it want to end, and has it said so? For a link that nobody uses.
  bool has_said_goodbye() noexcept;
  /// It is of no more use: it is over, and who waits at the connection sees its end. Any task, any time.
  void break_off() noexcept;

  byte_stream connection;
  frame_stream stream;                             ///< over the connection, where it is native
  std::optional<compat::message_stream> messages;  ///< over the connection, where it is compatible
  std::optional<native_channel> channel;           ///< over the stream, once the worker has said welcome
  bool is_asked = false;                           ///< which of them it is to be is open
  std::unique_ptr<worker_handle> handle;  ///< null: of another program, and it has not said welcome yet
  std::shared_ptr<stand_in> stands_in;    ///< null: a process; else there is neither that nor a connection
  pid_t said_pid = -1;                    ///< by its welcome; its handle may be told later
  bool spawned = false;                   ///< must reach weft::main first
  std::string nonce;                      ///< that was sent with the hello
  bool welcomed = false;
  bool wants_release = false;              ///< is to be told of the end of a checkout
  std::atomic<bool> failed = false;        ///< a call ended with an error
  std::atomic<bool> asked_to_end = false;  ///< from here: its end is no death
  std::atomic<bool> over = false;     ///< the worker is gone or was stopped, or what it says cannot be read
  std::size_t message_bytes_max = 0;  ///< what the worker accepts
  std::size_t checkouts = 0;
  steady_time started = steady_clock::now();
  steady_time idle_since = steady_clock::now();
  weft::mutex ending;                            ///< for who waits for its end or brings it about
  std::optional<process::exit_status> ended_as;  ///< guarded by ending
  std::string ended_for;                         ///< guarded by ending; why it was stopped, for other calls
};

/// Starts a worker as the options say and says hello to it. A worker that is not there yet is waited
/// for until `until`. Throws start_failed.
std::unique_ptr<worker_link> open_link(const client_options& options, steady_time until);

/// Begins the native protocol. `keep_alive` goes along where there is one.
void say_hello(worker_link& link, const client_options& options, int keep_alive, steady_time until);

/// Reads the worker's welcome. Throws start_failed if it refuses, worker_died, call_timed_out.
void await_welcome(worker_link& link, const client_options& options, steady_time until);

/// Ends the process of the link and waits for that, at most a little longer than the grace. Not
/// cancelled. Gives its status where known. `why` is told to the other calls of the link.
process::exit_status end_process(worker_link& link, const client_options& options, std::string why) noexcept;

/// The error of a worker that closed its connection in the middle of `what`.
worker_died death_of(worker_link& link, const client_options& options, const std::string& what);

}  // namespace weft::inline v1::workers::detail
