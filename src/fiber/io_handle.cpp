#include <weft/fiber/io_handle.hpp>

#include <sys/epoll.h>

#include <string>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>

#include "fiber/blocking_wait.hpp"
#include "fiber/guest_wait.hpp"
#include "fiber/io_entry.hpp"
#include "fiber/io_table.hpp"
#include "fiber/scheduler.hpp"

namespace weft::inline v1 {
namespace {

bool wait_for(detail::io_entry* entry, std::uint32_t direction, steady_time until, const char* what) {
  detail::check_cancelled(what);
  if (entry == nullptr) return detail::ready_now(-1, direction, what) != 0;  // throws: there is none
  if (entry->table() != nullptr) return entry->wait_edge(direction, until, what);
  if (detail::scheduler::current() != nullptr && !entry->is_closed()) {
    return detail::wait_as_guest(entry->fd(), direction, until, what) != 0;
  }
  return detail::block_until_ready(entry->fd(), direction, until, what, entry) != 0;
}

}  // namespace

io_handle::io_handle(int fd) {
  if (fd < 0)
    throw error(errc::invalid_argument, "io_handle: descriptor " + std::to_string(fd) + " is not open");
  detail::scheduler* const here = detail::scheduler::current();
  entry_ = here != nullptr ? here->io().table().open(fd) : new detail::io_entry(nullptr, fd, 0);
}

io_handle& io_handle::operator=(io_handle&& other) noexcept {
  if (this != &other) {
    drop();
    entry_ = std::exchange(other.entry_, nullptr);
  }
  return *this;
}

void io_handle::drop() noexcept {
  if (entry_ == nullptr) return;
  close();
  std::exchange(entry_, nullptr)->release();
}

void io_handle::close() noexcept {
  if (entry_ == nullptr) return;
  if (entry_->table() != nullptr) {
    entry_->table()->close(*entry_);
  } else {
    entry_->close();
  }
}

bool io_handle::is_open() const noexcept {
  return entry_ != nullptr && entry_->table() != nullptr && !entry_->is_closed();
}

int io_handle::fd() const noexcept { return entry_ != nullptr ? entry_->fd() : -1; }

void io_handle::wait_readable() { wait_readable_until(no_deadline); }
void io_handle::wait_writable() { wait_writable_until(no_deadline); }

bool io_handle::wait_readable_until(steady_time until) {
  return wait_for(entry_, EPOLLIN, until, "wait_readable");
}
bool io_handle::wait_writable_until(steady_time until) {
  return wait_for(entry_, EPOLLOUT, until, "wait_writable");
}

void io_handle::mark_not_readable() noexcept {
  if (entry_ != nullptr) entry_->mark_not_ready(EPOLLIN);
}
void io_handle::mark_not_writable() noexcept {
  if (entry_ != nullptr) entry_->mark_not_ready(EPOLLOUT);
}

}  // namespace weft::inline v1
