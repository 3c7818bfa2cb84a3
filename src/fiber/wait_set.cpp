#include <weft/fiber/wait_set.hpp>

#include <sys/epoll.h>
#include <array>
#include <cerrno>
#include <string>

#include <weft/core/error.hpp>

// An epoll set within the loop's: it is readable, for the outer one, as long as something in it is ready.

namespace weft::inline v1 {
namespace {

int control(int set, int operation, int fd, io_events wanted) noexcept {
  epoll_event event{};
  event.events = static_cast<std::uint32_t>(wanted);
  event.data.fd = fd;
  return epoll_ctl(set, operation, fd, &event) == 0 ? 0 : errno;
}

[[noreturn]] void throw_refused(const char* what, int fd, int why) {
  const std::string tried = std::string("wait_set: ") + what + " descriptor " + std::to_string(fd);
  switch (why) {
    case EBADF:
      throw error(errc::invalid_argument, tried + ": it is not open");
    case EEXIST:
      throw error(errc::already_exists, tried + ": it is in the set; change() what it waits for");
    case ENOENT:
      throw error(errc::not_found, tried + ": it is not in the set");
    case EPERM:
      throw error(errc::unsupported, tried + ": a regular file or a folder is always ready");
    default:
      throw system_error(tried, why);
  }
}

void require_wanted(int fd, io_events wanted) {
  if (wanted != io_events::none) return;
  throw error(errc::invalid_argument,
              "wait_set: descriptor " + std::to_string(fd) + ": no events asked for; remove() it instead");
}

}  // namespace

wait_set::wait_set() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!fd_) throw system_error("wait_set: make an epoll set", errno);
  handle_ = io_handle(fd_.get());
}

void wait_set::add(int fd, io_events wanted) {
  require_wanted(fd, wanted);
  if (const int why = control(fd_.get(), EPOLL_CTL_ADD, fd, wanted); why != 0) throw_refused("add", fd, why);
  ++size_;
}

void wait_set::change(int fd, io_events wanted) {
  require_wanted(fd, wanted);
  if (const int why = control(fd_.get(), EPOLL_CTL_MOD, fd, wanted); why != 0) {
    throw_refused("change", fd, why);
  }
}

void wait_set::remove(int fd) noexcept {
  if (control(fd_.get(), EPOLL_CTL_DEL, fd, io_events::none) == 0) --size_;
}

void wait_set::look() {
  std::array<epoll_event, ready_max> events;
  const int count = epoll_wait(fd_.get(), events.data(), static_cast<int>(events.size()), 0);
  ready_.clear();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    ready_.push_back({event.data.fd, io_events::none, static_cast<io_events>(event.events & 0xffU)});
  }
}

std::span<const watched_fd> wait_set::wait_until(steady_time until) {
  ready_.clear();
  while (handle_.wait_readable_until(until)) {
    look();
    if (!ready_.empty()) break;
    handle_.mark_not_readable();
  }
  return ready_;
}

}  // namespace weft::inline v1
