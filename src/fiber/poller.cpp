#include "fiber/poller.hpp"

#include <sys/eventfd.h>
#include <unistd.h>
#include <cerrno>
#include <cstdint>
#include <span>
#include <thread>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>

namespace weft::inline v1::detail {
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

// All that the loop asks of the kernel while it runs. Nothing came where a signal interrupted it.
poller::events_that_came poller::ask(event_buffer& into, int timeout_ms) noexcept {
  const int count = epoll_wait(table_->epoll_fd(), into.data(), events_max, timeout_ms);
  return events_that_came(into).first(static_cast<std::size_t>(count > 0 ? count : 0));
}

poller::events_that_came poller::look_for_a_while(event_buffer& into) noexcept {
  const steady_time until = steady_clock::now() + short_waits::look_for;
  do {
    if (const auto came = ask(into, 0); !came.empty()) {
      short_waits_.found_by_looking();
      return came;
    }
  } while (steady_clock::now() < until);
  short_waits_.looked_in_vain();
  return {};
}

poller::events_that_came poller::sleep(event_buffer& into, int timeout_ms) noexcept {
  const steady_time begin = steady_clock::now();
  const auto came = ask(into, timeout_ms);
  short_waits_.slept(steady_clock::now() - begin);
  return came;
}

void poller::deliver(events_that_came ready) noexcept {
  if (!table_->deliver(ready)) return;
  std::uint64_t rung = 0;
  [[maybe_unused]] const auto got = read(bell_.get(), &rung, sizeof rung);
}

void poller::look() noexcept {
  end_if_forked();
  event_buffer events;
  deliver(ask(events, 0));
}

void poller::wait(int timeout_ms) noexcept {
  if (timeout_ms == 0) return look();
  end_if_forked();
  event_buffer events;
  events_that_came came;
  if (has_company && short_waits_.expected()) came = look_for_a_while(events);
  if (came.empty()) came = sleep(events, timeout_ms);
  deliver(came);
}

void poller::ring() noexcept {
  const std::uint64_t once = 1;
  [[maybe_unused]] const auto put = write(bell_.get(), &once, sizeof once);
}

}  // namespace weft::inline v1::detail
