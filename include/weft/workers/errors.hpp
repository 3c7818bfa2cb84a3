#pragma once

#include <string>
#include <utility>

#include <sys/types.h>

#include <weft/core/error.hpp>
#include <weft/process/exit_status.hpp>
#include <weft/wire/json_value.hpp>

namespace weft::inline v1::workers {

/// Why a worker died, as far as its fork server can tell.
enum class death_cause : unsigned char {
  unknown,  ///< nobody can say more than how it ended; see worker_died::status()
  /// The kernel killed it for want of memory, as it seems: it died by a SIGKILL that its fork server did not
  /// send, and within 5 s the kernel counted such a kill in the server's control group. The kernel does not
  /// tell whom: where it kills another process of the group, and somebody else this worker, within the same
  /// few seconds, this is wrong.
  out_of_memory,
  /// A call took longer than hung_worker_timeout: it died by SIGALRM, or its server saw the call and killed
  /// it. A SIGALRM from elsewhere looks the same.
  hung,
};

/// The worker process ended, or closed its connection, without an answer.
class worker_died : public error {
 public:
  worker_died(std::string message, pid_t pid, process::exit_status status,
              death_cause cause = death_cause::unknown, std::string last_words = {})
      : error(errc::worker_died, std::move(message)),
        pid_(pid),
        status_(status),
        cause_(cause),
        last_words_(std::move(last_words)) {}
  /// For a worker of another program, whose status did not come: only the message.
  explicit worker_died(std::string message) : worker_died(std::move(message), -1, {}) {}

  /// How it ended: a signal, or an exit status; unknown where nobody could tell.
  const process::exit_status& status() const noexcept { return status_; }
  pid_t pid() const noexcept { return pid_; }
  /// Why, as far as death_cause can be known. Of memory the kernel tells only where there are control groups,
  /// and the fork server of weft::main or of a server on the same machine tells on; a worker that was started
  /// by exec has none.
  death_cause cause() const noexcept { return cause_; }
  /// The last lines that it wrote to its standard error, up to 512 bytes. Empty where the fork server of
  /// cause() is not there to tell.
  const std::string& last_words() const noexcept { return last_words_; }

 private:
  pid_t pid_;
  process::exit_status status_;
  death_cause cause_;
  std::string last_words_;
};

/// A call's own time passed: while it waited for a worker, or in the worker, which was killed then.
class call_timed_out : public deadline_exceeded {
 public:
  call_timed_out(std::string message, bool was_waiting)
      : deadline_exceeded(std::move(message)), was_waiting_(was_waiting) {}
  explicit call_timed_out(std::string message) : call_timed_out(std::move(message), false) {}

  /// No worker became free in time, so nothing ran.
  bool was_waiting() const noexcept { return was_waiting_; }

 private:
  bool was_waiting_;
};

/// The called function asked to exit (weft::exit): the worker ended, in order, with that status.
class worker_exited : public error {
 public:
  worker_exited(std::string message, int status) : error(errc::exited, std::move(message)), status_(status) {}
  explicit worker_exited(std::string message) : worker_exited(std::move(message), 0) {}
  int status() const noexcept { return status_; }

 private:
  int status_;
};

/// A worker could not be started, or did not speak as a worker of this build.
class start_failed : public error {
 public:
  explicit start_failed(std::string message) : error(errc::unavailable, std::move(message)) {}
  start_failed(errc code, std::string message) : error(code, std::move(message)) {}
};

/// An error that is a value and no text, as Perl code may raise it: `{"code":42}`. In the compatible protocol
/// it travels both ways as that value; elsewhere as its JSON text.
class raised_value : public error {
 public:
  explicit raised_value(wire::json_value value)
      : error(errc::unknown, wire::to_text(value)), value_(std::move(value)) {}
  const wire::json_value& value() const noexcept { return value_; }

 private:
  wire::json_value value_;
};

}  // namespace weft::inline v1::workers
