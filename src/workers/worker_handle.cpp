#include "workers/worker_handle.hpp"

#include <cerrno>
#include <cstring>

#include <weft/fiber/io_handle.hpp>
#include <weft/process/socket.hpp>

namespace weft::inline v1::workers::detail {

worker_handle::~worker_handle() = default;

monitored_worker::monitored_worker(unique_fd monitor) : monitor_(std::move(monitor)) {
  process::set_nonblocking(monitor_.get(), true);
}

// False when nothing is there.
bool monitored_worker::take_message() {
  if (status_) return false;
  monitor_message message;
  char raw[sizeof message + captured_output::kept_bytes_max];
  std::vector<unique_fd> received;
  const long got = process::receive_with_descriptors(monitor_.get(), raw, sizeof raw, received);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  if (got < static_cast<long>(sizeof message)) {
    status_.emplace();  // the server is gone and nobody can tell
    return true;
  }
  std::memcpy(&message, raw, sizeof message);
  switch (message.what) {
    case monitor_message::kind::started:
      pid_ = message.pid;
      if (!received.empty()) pidfd_ = std::move(received.front());
      break;
    case monitor_message::kind::fork_failed:
      fork_error_ = message.error;
      status_.emplace();
      break;
    case monitor_message::kind::ended:
      status_ = message.status;
      cause_ = message.cause;
      last_words_.assign(raw + sizeof message, static_cast<std::size_t>(got) - sizeof message);
      break;
  }
  return true;
}

void monitored_worker::take_all() {
  while (take_message()) {
  }
}

pid_t monitored_worker::pid() {
  if (pid_ < 0) take_all();
  return pid_;
}

int monitored_worker::fork_error() {
  take_all();
  return fork_error_;
}

std::optional<process::exit_status> monitored_worker::wait_until(steady_time until) {
  while (true) {
    take_all();
    if (status_) return status_;
    if (!weft::wait_readable_until(monitor_.get(), until)) {
      take_all();
      return status_;
    }
  }
}

bool monitored_worker::kill(int signal) {
  take_all();
  return !status_ && pidfd_ && process::send_signal(pidfd_.get(), signal);
}

}  // namespace weft::inline v1::workers::detail
