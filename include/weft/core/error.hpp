#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace weft::inline v1 {

/// What kind of failure it was, for programs: decisions to retry read the code, never the text.
enum class errc : int {
  unknown = 0,         ///< not said; retry only what is safe to repeat
  invalid_argument,    ///< the caller's input is wrong; do not retry
  not_found,           ///< the named thing does not exist; do not retry
  already_exists,      ///< it exists; do not retry
  refused,             ///< not allowed; do not retry
  unsupported,         ///< this build or machine cannot do it; do not retry
  malformed,           ///< bytes do not have the expected form; do not retry
  bad_signature,       ///< a signature does not fit; never retry, never run
  too_large,           ///< over a named limit; do not retry
  resource_exhausted,  ///< a named bound is reached; retry later
  unavailable,         ///< the other side is not there; retry with back-off
  busy,                ///< in use by another; retry soon
  timed_out,           ///< the bound of one operation passed; retry if it is safe to repeat
  deadline_exceeded,   ///< the deadline of the task passed; do not retry within it
  closed,              ///< the channel, stream or pool was closed
  cancelled,           ///< the work was given up on request; do not retry
  broken_promise,      ///< a promise was dropped without a result
  io_error,            ///< the operating system failed a call; the message has its text
  storage_full,        ///< no room; retry after room was made
  corrupt,             ///< stored data contradicts itself; needs a person
  worker_died,         ///< the worker process ended without an answer; retry if it is safe to repeat
  exited,              ///< the task asked to exit with a status
  misuse,              ///< the API was used against its contract
  no_scheduler,        ///< the caller is not on a fiber of weft::run, and this needs one
  deadlock,            ///< all that was left waited, and nothing could wake it
  internal,            ///< weft contradicts itself; please report
};

/// The stable name of a code, e.g. "timed_out". Never empty.
std::string_view to_string(errc code) noexcept;

/// The code with that name; errc::unknown for any other text.
errc errc_from_string(std::string_view name) noexcept;

/// May the same operation succeed later without a change to its input?
bool is_retryable(errc code) noexcept;

/// Base of every failure that weft reports. The message says what was tried, on what, and why not.
class error : public std::exception {
 public:
  error(errc code, std::string message) : code_(code), message_(std::move(message)) {}
  errc code() const noexcept { return code_; }
  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& message() const noexcept { return message_; }

 private:
  errc code_;
  std::string message_;
};

/// The border that set a deadline (with_timeout, a worker call, a request) reports that it passed.
class deadline_exceeded : public error {
 public:
  explicit deadline_exceeded(std::string message) : error(errc::deadline_exceeded, std::move(message)) {}
};

/// A promise was dropped without a result.
class broken_promise : public error {
 public:
  explicit broken_promise(std::string message) : error(errc::broken_promise, std::move(message)) {}
};

/// Makes an error of a failed system call: "tried: strerror(errno_value)" with a code that fits.
error system_error(std::string_view tried, int errno_value);

}  // namespace weft::inline v1
