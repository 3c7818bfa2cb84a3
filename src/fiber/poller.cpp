#include "fiber/poller.hpp"

#include <sys/eventfd.h>
#include <unistd.h>
#include <cerrno>
#include <cstdint>
#include <span>
#include <thread>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>

namespace weft::detail {
namespace {

/// On a single processor nobody could make something ready while a loop looks for it.
const bool has_company = std::thread::hardware_concurrency() > 1;

}  // namespace

poller::poller() : table_(std::make_shared<io_table>()), bell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  watch_forks();
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = io_table::bell;
  if (!bell_ || epoll_ctl(table_->epoll_fd(), EPOLL_CTL_ADD, bell_.get(), &event) != 0) {
    throw system_error("run: make the poller (eventfd)", errno);
  }
}

poller::~poller() {
  end_if_forked();
  table_->shut();
}

void poller::deliver(std::span<epoll_event> ready) noexcept {
  if (!table_->deliver(ready)) return;
  std::uint64_t rung = 0;
  [[maybe_unused]] const auto got = read(bell_.get(), &rung, sizeof rung);
}

void poller::look() noexcept {
  end_if_forked();
  event_buffer events;
  const int count = epoll_wait(table_->epoll_fd(), events.data(), events_max, 0);
  if (count > 0) deliver(std::span(events).first(static_cast<std::size_t>(count)));
}

/// What epoll_wait gave: 0 if nothing came.
int poller::look_for_a_while(event_buffer& events) noexcept {
  const steady_time until = steady_clock::now() + short_waits::look_for;
  do {
    if (const int count = epoll_wait(table_->epoll_fd(), events.data(), events_max, 0); count != 0) {
      short_waits_.found_by_looking();
      return count;
    }
  } while (steady_clock::now() < until);
  short_waits_.looked_in_vain();
  return 0;
}

void poller::wait(int timeout_ms) noexcept {
  end_if_forked();
  event_buffer events;
  int count = 0;
  if (timeout_ms != 0 && has_company && short_waits_.expected()) count = look_for_a_while(events);
  if (count == 0) {
    const steady_time begin = steady_clock::now();
    count = epoll_wait(table_->epoll_fd(), events.data(), events_max, timeout_ms);
    if (timeout_ms != 0) short_waits_.slept(steady_clock::now() - begin);
  }
  if (count > 0) deliver(std::span(events).first(static_cast<std::size_t>(count)));
}

void poller::ring() noexcept {
  const std::uint64_t once = 1;
  [[maybe_unused]] const auto put = write(bell_.get(), &once, sizeof once);
}

}  // namespace weft::detail
