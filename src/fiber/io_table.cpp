#include "fiber/io_table.hpp"

#include <sys/epoll.h>
#include <cerrno>
#include <string>

#include <weft/core/error.hpp>

#include "fiber/fork_mark.hpp"

namespace weft::inline v1::detail {
namespace {

[[noreturn]] void throw_not_registered(const char* what, int fd, int why) {
  const std::string tried = std::string(what) + ": descriptor " + std::to_string(fd);
  if (why == EBADF) throw error(errc::invalid_argument, tried + " is not open");
  if (why == EPERM) {
    throw error(errc::unsupported,
                tried +
                    " cannot be waited for: it is a regular file or a folder, where reading "
                    "and writing never say that they would block; use blocking() for them");
  }
  if (why == ENOSPC) {
    throw error(
        errc::resource_exhausted,
        tried + ": the user's limit of epoll registrations is reached (/proc/sys/fs/epoll/max_user_watches)");
  }
  throw system_error(tried + ": register it with epoll", why);
}

}  // namespace

io_table::io_table() : forks_(forks_so_far()), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw system_error("run: make the poller (epoll)", errno);
}

bool io_table::is_inherited() const noexcept { return forks_ != forks_so_far(); }

void io_table::require_own(const char* what) const {
  if (!is_inherited()) return;
  throw error(errc::misuse, std::string(what) +
                                ": this process was forked inside weft::run and shares the epoll set of "
                                "its parent; it may only exec or _exit");
}

io_entry*& io_table::slot_of(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= by_fd_.size()) by_fd_.resize(index + 1 + index / 2);
  return by_fd_[index];
}

int io_table::control(int operation, const io_entry& entry) noexcept {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET;
  if (entry.is_watched_for_writing()) event.events |= EPOLLOUT;
  event.data.u64 = (std::uint64_t{entry.generation()} << 32) | static_cast<std::uint32_t>(entry.fd());
  return epoll_ctl(epoll_.get(), operation, entry.fd(), &event) == 0 ? 0 : errno;
}

// Out of the table, not out of the epoll set.
void io_table::take_out(io_entry& entry) noexcept {
  by_fd_[static_cast<std::size_t>(entry.fd())] = nullptr;
  entry.release();
}

io_entry* io_table::find_alive(int fd, bool may_write) {
  io_entry* const entry = slot_of(fd);
  if (entry != nullptr && may_write) entry->watch_writable();
  if (entry == nullptr || control(EPOLL_CTL_MOD, *entry) == 0) return entry;
  entry->close();
  take_out(*entry);
  return nullptr;
}

io_entry* io_table::add(int fd, const char* what, bool may_write) {
  io_entry*& slot = slot_of(fd);
  auto* const entry = new io_entry(shared_from_this(), fd, ++generation_);
  if (may_write) entry->watch_writable();
  if (const int why = control(EPOLL_CTL_ADD, *entry); why != 0) {
    entry->release();
    throw_not_registered(what, fd, why);
  }
  slot = entry;
  return entry;
}

io_entry* io_table::open(int fd) {
  if (fd < 0) throw_not_registered("io_handle", fd, EBADF);
  require_own("io_handle");
  const std::lock_guard lock(mutex_);
  io_entry* entry = find_alive(fd, false);
  if (entry != nullptr && entry->has_handle) {
    throw error(errc::already_exists,
                "io_handle: descriptor " + std::to_string(fd) +
                    " has a handle in this loop; share that one, or duplicate the descriptor");
  }
  if (entry == nullptr) entry = add(fd, "io_handle", false);
  entry->has_handle = true;
  entry->retain();
  return entry;
}

void io_table::close(io_entry& entry) noexcept {
  if (is_inherited()) return;
  entry.close();
  const std::lock_guard lock(mutex_);
  const auto index = static_cast<std::size_t>(entry.fd());
  if (index >= by_fd_.size() || by_fd_[index] != &entry) return;  // closed before, or another has the number
  control(EPOLL_CTL_DEL, entry);
  take_out(entry);
}

io_entry* io_table::enter(int fd, const char* what) {
  if (fd < 0) throw_not_registered(what, fd, EBADF);
  require_own(what);
  const std::lock_guard lock(mutex_);
  // A guest may wait for anything.
  io_entry* entry = find_alive(fd, true);
  if (entry == nullptr) entry = add(fd, what, true);
  ++entry->guests;
  entry->retain();
  return entry;
}

void io_table::leave(io_entry& entry) noexcept {
  if (is_inherited()) return;
  {
    const std::lock_guard lock(mutex_);
    --entry.guests;
    const bool is_here = by_fd_[static_cast<std::size_t>(entry.fd())] == &entry;
    if (is_here && entry.guests == 0 && !entry.has_handle) {
      control(EPOLL_CTL_DEL, entry);
      take_out(entry);
    }
  }
  entry.release();
}

void io_table::forget(unsigned first, unsigned last) noexcept {
  if (is_inherited()) return;
  const std::lock_guard lock(mutex_);
  for (std::size_t fd = first; fd <= last && fd < by_fd_.size(); ++fd) {
    io_entry* const entry = by_fd_[fd];
    if (entry == nullptr) continue;
    entry->close();
    control(EPOLL_CTL_DEL, *entry);
    take_out(*entry);
  }
}

void io_table::watch_writable(io_entry& entry) noexcept {
  if (is_inherited()) return;
  const std::lock_guard lock(mutex_);
  const auto index = static_cast<std::size_t>(entry.fd());
  if (index >= by_fd_.size() || by_fd_[index] != &entry) return;  // closed: who waits is told so
  entry.watch_writable();
  control(EPOLL_CTL_MOD, entry);
}

bool io_table::deliver(std::span<const epoll_event> events) noexcept {
  if (events.empty()) return false;
  bool rang = false;
  const std::lock_guard lock(mutex_);
  for (const epoll_event& event : events) {
    if (event.data.u64 == bell) {
      rang = true;
    } else {
      deliver(event);
    }
  }
  return rang;
}

void io_table::deliver(const epoll_event& event) noexcept {
  const auto index = static_cast<std::size_t>(event.data.u64 & 0xffffffffU);
  const auto generation = static_cast<std::uint32_t>(event.data.u64 >> 32);
  io_entry* const entry = index < by_fd_.size() ? by_fd_[index] : nullptr;
  if (entry == nullptr || entry->generation() != generation) return;
  if (entry->deliver(event.events)) control(EPOLL_CTL_MOD, *entry);
}

void io_table::shut() noexcept {
  if (is_inherited()) return;
  const std::lock_guard lock(mutex_);
  for (io_entry* const entry : by_fd_) {
    if (entry == nullptr) continue;
    entry->close();
    take_out(*entry);
  }
  epoll_.reset();
}

}  // namespace weft::inline v1::detail
