#include <weft/fiber/io_event.hpp>

#include <poll.h>
#include <sys/epoll.h>
#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/wait_set.hpp>

#include "fiber/guest_wait.hpp"

namespace weft::inline v1 {
namespace {

// The public bits are the kernel's.
static_assert(static_cast<int>(io_events::readable) == EPOLLIN && EPOLLIN == POLLIN);
static_assert(static_cast<int>(io_events::priority) == EPOLLPRI && EPOLLPRI == POLLPRI);
static_assert(static_cast<int>(io_events::writable) == EPOLLOUT && EPOLLOUT == POLLOUT);
static_assert(static_cast<int>(io_events::error) == EPOLLERR && EPOLLERR == POLLERR);
static_assert(static_cast<int>(io_events::hang_up) == EPOLLHUP && EPOLLHUP == POLLHUP);

constexpr std::uint32_t all_bits = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLERR | EPOLLHUP;

io_events from_bits(std::uint32_t bits) noexcept { return static_cast<io_events>(bits & all_bits); }

/// poll(2) without waiting; gives the number of those that are ready.
std::size_t look_at(std::span<watched_fd> all) {
  std::vector<pollfd> polled;
  polled.reserve(all.size());
  for (const watched_fd& one : all) polled.push_back({one.fd, static_cast<short>(one.wanted), 0});
  if (::poll(polled.data(), polled.size(), 0) < 0 && errno != EINTR) throw system_error("wait_any", errno);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if ((polled[i].revents & POLLNVAL) != 0) {
      throw error(errc::invalid_argument,
                  "wait_any: descriptor " + std::to_string(all[i].fd) + " is not open");
    }
    all[i].ready = from_bits(static_cast<std::uint32_t>(polled[i].revents));
  }
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [](const watched_fd& one) { return one.ready != io_events::none; }));
}

void require_sense(std::span<watched_fd> all) {
  if (all.empty()) throw error(errc::invalid_argument, "wait_any: nothing to wait for: the list is empty");
  for (watched_fd& one : all) {
    one.ready = io_events::none;
    if (one.fd >= 0 && one.wanted != io_events::none) continue;
    throw error(errc::invalid_argument, "wait_any: descriptor " + std::to_string(one.fd) +
                                            (one.fd < 0 ? " is not open" : ": no events asked for"));
  }
}

/// One entry for each number, though the list may name it twice.
void fill(wait_set& set, std::span<const watched_fd> all) {
  std::vector<watched_fd> sorted(all.begin(), all.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const watched_fd& one, const watched_fd& other) { return one.fd < other.fd; });
  for (std::size_t i = 0; i < sorted.size();) {
    watched_fd merged = sorted[i];
    while (++i < sorted.size() && sorted[i].fd == merged.fd) merged.wanted |= sorted[i].wanted;
    set.add(merged.fd, merged.wanted);
  }
}

}  // namespace

io_events wait_event(int fd, io_events wanted) { return wait_event_until(fd, wanted, no_deadline); }

io_events wait_event_until(int fd, io_events wanted, steady_time until) {
  if (wanted == io_events::none) {
    throw error(errc::invalid_argument,
                "wait_event: descriptor " + std::to_string(fd) + ": no events asked for");
  }
  return from_bits(detail::wait_as_guest(fd, static_cast<std::uint32_t>(wanted), until, "wait_event"));
}

void wait_readable(int fd) { wait_readable_until(fd, no_deadline); }
void wait_writable(int fd) { wait_writable_until(fd, no_deadline); }
bool wait_readable_until(int fd, steady_time until) {
  return detail::wait_as_guest(fd, EPOLLIN, until, "wait_readable") != 0;
}
bool wait_writable_until(int fd, steady_time until) {
  return detail::wait_as_guest(fd, EPOLLOUT, until, "wait_writable") != 0;
}

std::size_t wait_any(std::span<watched_fd> all) { return wait_any_until(all, no_deadline); }

std::size_t wait_any_until(std::span<watched_fd> all, steady_time until) {
  require_sense(all);
  detail::check_cancelled("wait_any");
  if (const std::size_t count = look_at(all)) return count;
  if (until != no_deadline && until <= steady_clock::now()) return 0;
  wait_set set;
  fill(set, all);
  while (!set.wait_until(until).empty()) {
    if (const std::size_t count = look_at(all)) return count;
  }
  return 0;
}

}  // namespace weft::inline v1
