#include <weft/fiber/io_handle.hpp>

#include <poll.h>
#include <algorithm>
#include <cerrno>
#include <climits>
#include <mutex>
#include <string>
#include <utility>

#include <weft/core/error.hpp>

#include "fiber/scheduler.hpp"

namespace weft {
namespace {

enum class direction : unsigned char { read, write };

const char* wait_name(direction which) {
  return which == direction::read ? "wait_readable" : "wait_writable";
}

[[noreturn]] void throw_closed(direction which, int fd) {
  throw error(errc::closed, std::string(wait_name(which)) + ": descriptor " + std::to_string(fd) +
                                " was closed by another task, or its run has ended");
}

[[noreturn]] void throw_second_waiter(direction which, int fd, const detail::task_block& first) {
  throw error(errc::busy, std::string(wait_name(which)) + ": task " +
                              std::to_string(detail::task_block::current().id()) + " waits for descriptor " +
                              std::to_string(fd) + " while task " + std::to_string(first.id()) + " \"" +
                              std::string(first.name()) + "\" does; let one task read and one write");
}

bool wait_for(detail::io_entry& entry, direction which, steady_time until) {
  detail::check_cancelled(wait_name(which));
  std::unique_lock lock(entry.lock);
  bool& ready = which == direction::read ? entry.readable : entry.writable;
  auto& line = which == direction::read ? entry.readers : entry.writers;
  if (entry.closed) throw_closed(which, entry.fd);
  if (ready) return true;
  detail::require_wait_allowed(wait_name(which));
  if (!line.empty()) throw_second_waiter(which, entry.fd, *line.front()->task);
  detail::waiter self;
  ++entry.tasks_inside;
  const auto outcome = detail::wait_in(line, self, lock, until, wait_name(which));
  --entry.tasks_inside;
  const bool closed = entry.closed;
  const int fd = entry.fd;
  lock.unlock();  // a closed entry may be freed from here on
  if (outcome == detail::wait_outcome::served && closed) throw_closed(which, fd);
  if (outcome == detail::wait_outcome::cancelled) detail::throw_cancelled(wait_name(which));
  return outcome == detail::wait_outcome::served;
}

/// Outside a run: blocks the thread, in slices, so that a cancellation is seen.
bool block_for(int fd, direction which, steady_time until) {
  constexpr auto slice = std::chrono::milliseconds(50);
  for (;;) {
    detail::check_cancelled(wait_name(which));
    const auto left = std::min<steady_clock::duration>(until - steady_clock::now(), slice);
    const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    pollfd one{fd, static_cast<short>(which == direction::read ? POLLIN : POLLOUT), 0};
    const int count = ::poll(&one, 1, static_cast<int>(std::max<long long>(left_ms, 0)));
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) throw system_error(wait_name(which), errno);
    if (steady_clock::now() >= until) return false;
  }
}

bool is_ready_now(int fd, direction which) {
  pollfd one{fd, static_cast<short>(which == direction::read ? POLLIN : POLLOUT), 0};
  return ::poll(&one, 1, 0) > 0 && (one.revents & POLLNVAL) == 0;
}

bool wait_once(int fd, direction which, steady_time until) {
  if (detail::scheduler::current() == nullptr) return block_for(fd, which, until);
  detail::check_cancelled(wait_name(which));
  if (is_ready_now(fd, which)) return true;
  io_handle handle(fd);
  if (which == direction::read) {
    handle.mark_not_readable();
    return handle.wait_readable_until(until);
  }
  handle.mark_not_writable();
  return handle.wait_writable_until(until);
}

}  // namespace

io_handle::io_handle(int fd) : fd_(fd) {
  detail::scheduler* const here = detail::scheduler::current();
  entry_ = here != nullptr ? here->io().add(fd) : nullptr;
}

io_handle::io_handle(io_handle&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), entry_(std::exchange(other.entry_, nullptr)) {}

io_handle& io_handle::operator=(io_handle&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
    entry_ = std::exchange(other.entry_, nullptr);
  }
  return *this;
}

io_handle::~io_handle() { close(); }

void io_handle::wait_readable() { wait_readable_until(no_deadline); }
void io_handle::wait_writable() { wait_writable_until(no_deadline); }

bool io_handle::wait_readable_until(steady_time until) {
  return entry_ != nullptr ? wait_for(*entry_, direction::read, until)
                           : block_for(fd_, direction::read, until);
}
bool io_handle::wait_writable_until(steady_time until) {
  return entry_ != nullptr ? wait_for(*entry_, direction::write, until)
                           : block_for(fd_, direction::write, until);
}

void io_handle::mark_not_readable() noexcept {
  if (entry_ == nullptr) return;
  const std::lock_guard lock(entry_->lock);
  entry_->readable = entry_->read_ended;  // a short read may have left the end of the stream behind it
}
void io_handle::mark_not_writable() noexcept {
  if (entry_ == nullptr) return;
  const std::lock_guard lock(entry_->lock);
  entry_->writable = false;
}

void io_handle::close() noexcept {
  if (detail::io_entry* const entry = std::exchange(entry_, nullptr)) {
    {
      const std::lock_guard lock(entry->lock);
      entry->closed = true;
      entry->readers.serve_all();
      entry->writers.serve_all();
    }
    if (entry->owner != nullptr) {
      entry->owner->remove(*entry);
    } else {
      delete entry;
    }
  }
  fd_ = -1;
}

void wait_readable(int fd) { wait_once(fd, direction::read, no_deadline); }
void wait_writable(int fd) { wait_once(fd, direction::write, no_deadline); }
bool wait_readable_until(int fd, steady_time until) { return wait_once(fd, direction::read, until); }
bool wait_writable_until(int fd, steady_time until) { return wait_once(fd, direction::write, until); }

}  // namespace weft
