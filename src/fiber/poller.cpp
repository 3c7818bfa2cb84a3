#include "fiber/poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <span>

#include <weft/core/error.hpp>

namespace weft::detail {
namespace {

constexpr std::size_t events_max = 256;

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

void poller::poll(int timeout_ms) noexcept {
  end_if_forked();
  std::array<epoll_event, events_max> events;
  const int count =
      epoll_wait(table_->epoll_fd(), events.data(), static_cast<int>(events.size()), timeout_ms);
  if (count <= 0) return;
  if (!table_->deliver(std::span(events).first(static_cast<std::size_t>(count)))) return;
  std::uint64_t rung = 0;
  [[maybe_unused]] const auto got = read(bell_.get(), &rung, sizeof rung);
}

void poller::ring() noexcept {
  const std::uint64_t once = 1;
  [[maybe_unused]] const auto put = write(bell_.get(), &once, sizeof once);
}

}  // namespace weft::detail
