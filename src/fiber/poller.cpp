#include "fiber/poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstdint>
#include <mutex>

#include <weft/core/error.hpp>

namespace weft::detail {
namespace {

constexpr std::size_t events_max = 256;
constexpr unsigned int read_events = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;
constexpr unsigned int write_events = EPOLLOUT | EPOLLHUP | EPOLLERR;

}  // namespace

poller::poller() : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)), bell_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (epoll_fd_ < 0 || bell_fd_ < 0 || epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, bell_fd_, &event) != 0) {
    const int why = errno;
    if (epoll_fd_ >= 0) ::close(epoll_fd_);
    if (bell_fd_ >= 0) ::close(bell_fd_);
    throw system_error("run: make the poller (epoll and eventfd)", why);
  }
}

poller::~poller() {
  for (io_entry* entry : removed_) delete entry;
  for (io_entry* entry = open_; entry != nullptr; entry = entry->next) {
    entry->owner = nullptr;
    entry->closed = true;
  }
  ::close(bell_fd_);
  ::close(epoll_fd_);
}

io_entry* poller::add(int fd) {
  auto* const entry = new io_entry;
  entry->owner = this;
  entry->fd = fd;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = entry;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    const int why = errno;
    delete entry;
    throw system_error("io_handle: register descriptor " + std::to_string(fd), why);
  }
  entry->next = open_;
  if (open_ != nullptr) open_->previous = entry;
  open_ = entry;
  return entry;
}

void poller::remove(io_entry& entry) noexcept {
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, entry.fd, nullptr);
  (entry.previous != nullptr ? entry.previous->next : open_) = entry.next;
  if (entry.next != nullptr) entry.next->previous = entry.previous;
  removed_.push_back(&entry);
}

void poller::free_removed() noexcept {
  std::erase_if(removed_, [](io_entry* entry) {
    {
      const std::lock_guard lock(entry->lock);
      if (entry->tasks_inside > 0) return false;
    }
    delete entry;
    return true;
  });
}

void poller::set_ready(io_entry& entry, unsigned int events) noexcept {
  const std::lock_guard lock(entry.lock);
  if (entry.closed) return;
  if ((events & EPOLLRDHUP) != 0) entry.read_ended = true;
  if ((events & read_events) != 0) {
    entry.readable = true;
    entry.readers.serve_all();
  }
  if ((events & write_events) != 0) {
    entry.writable = true;
    entry.writers.serve_all();
  }
}

void poller::poll(int timeout_ms) noexcept {
  free_removed();
  std::array<epoll_event, events_max> events;
  const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), timeout_ms);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.ptr != nullptr) {
      set_ready(*static_cast<io_entry*>(event.data.ptr), event.events);
    } else {
      std::uint64_t rung = 0;
      [[maybe_unused]] const auto got = read(bell_fd_, &rung, sizeof rung);
    }
  }
}

void poller::ring() noexcept {
  const std::uint64_t once = 1;
  [[maybe_unused]] const auto put = write(bell_fd_, &once, sizeof once);
}

}  // namespace weft::detail
