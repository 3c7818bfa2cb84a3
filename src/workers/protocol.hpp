#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <weft/closure/registry.hpp>
#include <weft/core/failure.hpp>
#include <weft/log/record.hpp>
#include <weft/process/limits.hpp>
#include <weft/process/restrictions.hpp>
#include <weft/wire/frame.hpp>
#include <weft/workers/error_stacks.hpp>
#include <weft/workers/recycling.hpp>

// The native protocol between a client and a worker. docs/formats/worker.md says it byte by byte.

namespace weft::inline v1::workers::detail {

/// What a native client says first. No JSON text begins with 0x89, and the bracket makes an
/// incremental JSON parser decide at once, so a peer of the old protocol ends the connection.
inline constexpr std::string_view native_magic{"\x89]weft\r\n", 8};
inline constexpr std::uint32_t protocol_version = 1;

/// A payload may be longer than the arguments or the answer in it by so much, for context and logs.
inline constexpr std::size_t frame_extra_bytes = 4 * 1024 * 1024;

/// The type of a wire::frame; its request id is that of the call.
enum class frame_type : std::uint8_t {
  // from the client
  hello = 1,
  call = 2,
  cancel = 3,
  release = 4,
  told = 5,
  data = 6,      // a part of what the called function reads
  data_end = 7,  // that was all of it
  credit = 8,    // the client has taken bytes of what the function writes
  proof = 9,     // answers the challenge
  rest = 11,     // no call for so long: the worker may end
  status = 10,   // in place of the hello; answered by the server itself
  // from the worker
  welcome = 65,
  refused = 66,
  answer = 67,
  failed = 68,
  exited = 69,
  progress = 71,
  declined = 72,
  ask = 73,
  data_out = 74,
  data_out_end = 75,
  credit_out = 76,
  challenge = 77,
  goodbye = 78,  // no further checkout, please
  status_of_server = 79,
};

/// Bytes of a stream that may be under way: its reader grants so many at first, and more as it takes them.
inline constexpr std::uint64_t stream_window_bytes = std::uint64_t{1} << 20U;
/// A piece of a stream travels in parts of at most so many bytes. All but its last one have the flag.
inline constexpr std::size_t stream_part_bytes = std::size_t{64} * 1024;
inline constexpr std::uint8_t more_follows = 1;
/// What a part takes of the window beside its bytes, so that short pieces are bounded, too.
inline constexpr std::uint64_t stream_part_overhead = 64;

/// Questions of one call that may be without an answer: they come one at a time, and those that were given up
/// are answered all the same.
inline constexpr std::size_t asks_open_max = 16;

/// How the worker is to behave; the client's wish in its own program's workers.
struct worker_settings {
  std::string name;                        ///< in the process title
  std::chrono::nanoseconds hung_after{0};  ///< a call that takes longer is ended by SIGALRM; 0: never
  std::uint64_t stack_bytes = 0;
  process::limits limits;
  process::restrictions restrictions;
  workers::recycling recycle;
  workers::error_stacks stacks = workers::error_stacks::addresses;
};

struct hello_frame {
  std::uint32_t version = protocol_version;
  std::uint64_t message_bytes_max = 0;  ///< longest answer the client accepts
  std::string build_id;
  bool same_build_only = false;
  worker_settings settings;
  std::string nonce;  ///< of a client that has keys
};

/// In place of the welcome, which follows the proof.
struct challenge_frame {
  std::string nonce;
  std::string envelope;  ///< both nonces, signed
};

struct welcome_frame {
  std::uint32_t version = protocol_version;
  std::uint64_t message_bytes_max = 0;  ///< longest arguments the worker accepts
  std::string build_id;
  std::int64_t pid = 0;
  bool wants_release = false;  ///< there is work to do at the end of a checkout
};

enum class call_kind : std::uint8_t {
  interface_name = 0,   ///< arguments and answer in the binary form
  closure = 1,          ///< the same
  written_closure = 2,  ///< as a closure_request has it: arguments and answer are JSON
};

struct call_frame {
  std::uint64_t id = 0;                               ///< of the frame
  std::optional<std::chrono::nanoseconds> remaining;  ///< until the deadline; at most
  std::string_view context;                           ///< context::to_wire
  call_kind kind{};
  bool has_link = false;       ///< the client answers ask frames
  std::string_view target;     ///< name in the interface, or the closure's identity
  std::string_view arguments;  ///< encoded list
};

/// The called function's run objects ask their makers in the client.
struct ask_frame {
  std::uint64_t id = 0;
  bool is_about = false;  ///< run_link::about, else run_link::ask
  std::string_view object;
  std::string_view message;
};
struct told_frame {
  std::uint64_t id = 0;
  bool ok = true;
  std::string_view answer;
  weft::failure failure;  ///< where it is not ok
};

struct progress_frame {
  std::uint64_t id = 0;
  double done = 0;
  std::string_view text;
};

/// What ends a call: an answer, a failure, that the call asked to exit, or that it was not begun.
struct reply_frame {
  frame_type type{};
  std::uint64_t id = 0;
  std::string_view value;   ///< of an answer
  weft::failure failure;    ///< of a failure
  std::int32_t status = 0;  ///< of an exit
  closure_refusal refusal;  ///< of a closure that was declined
  log::collection log;
};

// Each appends a whole frame to `out`.
void write_frame(bytes& out, const hello_frame& from);
void write_frame(bytes& out, const welcome_frame& from);
void write_frame(bytes& out, const challenge_frame& from);
void write_proof(bytes& out, std::string_view envelope);
void write_status_request(bytes& out, std::string_view nonce);
void write_frame(bytes& out, const call_frame& from);
void write_frame(bytes& out, const reply_frame& from);
void write_frame(bytes& out, const ask_frame& from);
void write_frame(bytes& out, const told_frame& from);
void write_refused(bytes& out, std::string_view why);
void write_frame(bytes& out, const progress_frame& from);
/// A frame without payload: cancel, release.
void write_plain(bytes& out, frame_type type, std::uint64_t id);
void write_rest(bytes& out, std::chrono::nanoseconds ends_after);
/// A part of a piece of a stream; `type` is data or data_out.
void write_part(bytes& out, frame_type type, std::uint64_t id, std::span<const std::byte> part, bool is_last);
void write_credit(bytes& out, frame_type type, std::uint64_t id, std::uint64_t taken);

// Views in the result point into the frame. They throw weft::error (malformed).
hello_frame read_hello(const wire::frame& from);
welcome_frame read_welcome(const wire::frame& from);
challenge_frame read_challenge(const wire::frame& from);
std::string read_proof(const wire::frame& from);
std::string read_status_nonce(const wire::frame& from);
call_frame read_call(const wire::frame& from);
reply_frame read_reply(const wire::frame& from);
ask_frame read_ask(const wire::frame& from);
told_frame read_told(const wire::frame& from);
progress_frame read_progress(const wire::frame& from);
std::chrono::nanoseconds read_rest(const wire::frame& from);
std::uint64_t read_credit(const wire::frame& from);
std::string read_refused(const wire::frame& from);

}  // namespace weft::inline v1::workers::detail
