#include "net/connecting.hpp"

#include <sys/socket.h>
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>

#include <weft/core/error.hpp>
#include <weft/core/fault_point.hpp>
#include <weft/fiber/io_event.hpp>

namespace weft::inline v1::net::detail {
namespace {

std::string reason(int errno_value) {
  switch (errno_value) {
    case ECONNREFUSED:
      return "nobody listens there";
    case ENOENT:
      return "there is no such socket";
    case EAGAIN:
      return "the server's queue is full";
    case ETIMEDOUT:
      return "no answer in time";
    default:
      return std::strerror(errno_value);
  }
}

/// What a pending connect has come to.
int outcome_of(int fd) noexcept {
  int failed = 0;
  socklen_t bytes = sizeof failed;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &bytes) == 0 ? failed : errno;
}

class attempts {
 public:
  attempts(const std::string& name, std::vector<address> all)
      : tried_("connect to " + name), all_(std::move(all)), outcomes_(all_.size(), ETIMEDOUT) {}

  connected run(steady_time until) {
    // The usual case needs no set to wait for.
    if (all_.size() == 1) return only_one(until);
    while (true) {
      while (may_begin()) {
        if (auto done = begin()) return registered(std::move(*done));
      }
      if (pending_.empty()) throw_failed();
      const steady_time next = begun_ < all_.size() ? next_at_ : no_deadline;
      const bool came = wait_any_until(watched_, std::min(until, next)) > 0;
      if (came) {
        if (auto done = look()) return registered(std::move(*done));
      } else if (steady_clock::now() >= until) {
        throw_failed();
      }
    }
  }

 private:
  struct attempt {
    std::size_t which = 0;
    unique_fd fd;
  };

  static connected registered(unique_fd fd) {
    const int number = fd.get();
    return {std::move(fd), io_handle(number)};
  }

  unique_fd socket_for(std::size_t which) { return make_socket(all_[which].family(), tried_.c_str()); }

  /// 0, EINPROGRESS, or why not.
  int start(int fd, std::size_t which) noexcept {
    if (const int failed = fault_errno("weft.net.connect")) return failed;
    return ::connect(fd, all_[which].get(), all_[which].bytes) == 0 ? 0 : errno;
  }

  connected only_one(steady_time until) {
    connected made;
    made.fd = socket_for(0);
    int failed = start(made.fd.get(), 0);
    if (failed == 0 || failed == EINPROGRESS) made.io = io_handle(made.fd.get());
    if (failed == EINPROGRESS) {
      made.io.mark_not_writable();
      failed = made.io.wait_writable_until(until) ? outcome_of(made.fd.get()) : ETIMEDOUT;
    }
    outcomes_[0] = failed;
    if (failed != 0) throw_failed();
    return made;
  }

  bool may_begin() const noexcept {
    return begun_ < all_.size() && (pending_.empty() || steady_clock::now() >= next_at_);
  }

  /// Begins the next one; the socket if it is connected already.
  std::optional<unique_fd> begin() {
    const std::size_t which = begun_++;
    next_at_ = steady_clock::now() + next_attempt_after;
    unique_fd fd(::socket(all_[which].family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int failed = fd ? start(fd.get(), which) : errno;
    if (failed == 0) return fd;
    if (failed == EINPROGRESS) {
      watched_.push_back({fd.get(), io_events::writable});
      pending_.push_back({which, std::move(fd)});
    } else {
      outcomes_[which] = failed;
      next_at_ = {};
    }
    return std::nullopt;
  }

  /// At what has become ready: the socket that is connected, if one is.
  std::optional<unique_fd> look() {
    for (std::size_t i = 0; i < pending_.size();) {
      if (watched_[i].ready == io_events::none) {
        ++i;
        continue;
      }
      const int failed = outcome_of(pending_[i].fd.get());
      if (failed == 0) return std::move(pending_[i].fd);
      outcomes_[pending_[i].which] = failed;
      pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
      watched_.erase(watched_.begin() + static_cast<std::ptrdiff_t>(i));
      next_at_ = {};
    }
    return std::nullopt;
  }

  [[noreturn]] void throw_failed() {
    std::string text = tried_ + ": ";
    bool is_unreachable = false;
    bool is_late = false;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const int failed = outcomes_[i];
      is_unreachable = is_unreachable || failed == ECONNREFUSED || failed == ENOENT || failed == EAGAIN;
      is_late = is_late || failed == ETIMEDOUT;
      if (i > 0) text += "; ";
      if (all_.size() > 1) text += to_endpoint(all_[i]).text() + ": ";
      text += i < begun_ || all_.size() == 1 ? reason(failed) : "not tried in time";
    }
    if (is_late) throw error(errc::timed_out, text);
    if (is_unreachable) throw error(errc::unavailable, text + "; is the server running?");
    throw error(system_error("", outcomes_[0]).code(), text);
  }

  const std::string tried_;
  const std::vector<address> all_;
  std::vector<int> outcomes_;  // of those that are over, why they failed
  std::size_t begun_ = 0;
  steady_time next_at_{};
  std::vector<attempt> pending_;
  std::vector<watched_fd> watched_;  // of pending_, in the same order
};

}  // namespace

std::vector<address> interleaved(std::vector<address> all) {
  if (all.empty()) return all;
  const auto other = std::stable_partition(
      all.begin(), all.end(),
      [family = all.front().family()](const address& one) { return one.family() == family; });
  std::vector<address> mixed;
  mixed.reserve(all.size());
  for (auto one = all.begin(), two = other; one != other || two != all.end();) {
    if (one != other) mixed.push_back(*one++);
    if (two != all.end()) mixed.push_back(*two++);
  }
  return mixed;
}

connected connect_to_any(const std::string& name, std::vector<address> all, steady_time until) {
  return attempts(name, interleaved(std::move(all))).run(until);
}

}  // namespace weft::inline v1::net::detail
