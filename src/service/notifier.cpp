#include <weft/service/notifier.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <limits>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/log/log.hpp>

#include "service/environment.hpp"

namespace weft::inline v1::ops {

namespace {

/// By the clock that the manager compares with (CLOCK_MONOTONIC), whatever a simulation says.
std::string monotonic_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000);
}

void check_name(std::string_view name) {
  constexpr std::size_t bytes_max = 255;
  const auto is_bad = [](char one) {
    return one == ':' || static_cast<unsigned char>(one) < 0x20 || one == 0x7f;
  };
  if (!name.empty() && name.size() <= bytes_max && std::none_of(name.begin(), name.end(), is_bad)) return;
  throw error(errc::invalid_argument, "service: a descriptor cannot be called \"" + std::string(name) +
                                          "\"; a name has 1 to 255 bytes, no ':' and no control characters");
}

/// One datagram to `address`, with a copy of `fd` unless that is -1. 0, or the errno of what failed.
int send_datagram(const std::string& address, std::string_view bytes, int fd) noexcept {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address.data(), address.size());
  const bool is_abstract = to.sun_path[0] == '@';
  if (is_abstract) to.sun_path[0] = '\0';

  const unique_fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return errno;
  iovec text{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_name = &to;
  // An abstract name is all of the length that is given; a path ends with a 0 that is counted.
  message.msg_namelen =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size() + (is_abstract ? 0 : 1));
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(part), &fd, sizeof fd);
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

}  // namespace

notifier::notifier(std::string address) : address_(std::move(address)) {
  constexpr std::size_t bytes_max = sizeof(sockaddr_un::sun_path) - 1;
  const bool is_path = address_.starts_with('/');
  const bool is_abstract = address_.starts_with('@');
  if ((is_path || is_abstract) && address_.size() > 1 && address_.size() <= bytes_max) return;
  throw error(errc::invalid_argument,
              "service: the manager's socket is \"" + address_ +
                  "\" (NOTIFY_SOCKET); it must be a path from the root, or '@' and a name, of at "
                  "most " +
                  std::to_string(bytes_max) + " bytes");
}

notifier notifier::from_environment() {
  auto address = detail::take_variable("NOTIFY_SOCKET");
  return address ? notifier(std::move(*address)) : notifier();
}

bool notifier::reloading() const noexcept {
  return send("RELOADING=1\nMONOTONIC_USEC=" + monotonic_microseconds());
}

bool notifier::status(std::string_view line) const noexcept {
  std::string words = "STATUS=" + std::string(line);
  std::replace(words.begin(), words.end(), '\n', ' ');  // or what follows would be a word of its own
  return send(words);
}

bool notifier::extend_timeout(std::chrono::microseconds by) const noexcept {
  return send("EXTEND_TIMEOUT_USEC=" + std::to_string(by.count()));
}

bool notifier::store(std::string_view name, int fd) const {
  check_name(name);
  return send("FDSTORE=1\nFDNAME=" + std::string(name), fd);
}

bool notifier::forget(std::string_view name) const {
  check_name(name);
  return send("FDSTOREREMOVE=1\nFDNAME=" + std::string(name));
}

bool notifier::send(std::string_view words, int fd) const noexcept {
  if (address_.empty()) return true;
  const int failed = send_datagram(address_, words, fd);
  if (failed == 0) return true;
  log::error("service: the service manager was not told",
             {{"words", words}, {"socket", address_}, {"why", std::strerror(failed)}});
  return false;
}

std::optional<std::chrono::microseconds> take_watchdog_period() {
  const auto period = detail::take_variable("WATCHDOG_USEC");
  const bool is_ours = detail::is_for_this_process("WATCHDOG_PID", detail::take_variable("WATCHDOG_PID"));
  if (!period || !is_ours) return std::nullopt;
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const std::uint64_t microseconds = detail::number_in("WATCHDOG_USEC", *period, most);
  if (microseconds == 0) return std::nullopt;
  return std::chrono::microseconds(static_cast<std::int64_t>(microseconds));
}

}  // namespace weft::inline v1::ops
