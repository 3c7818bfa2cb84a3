#include <weft/net/file_watch.hpp>

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "net/files/off_loop.hpp"

namespace weft::inline v1::files {

namespace {

constexpr std::uint32_t wanted = IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM |
                                 IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_EXCL_UNLINK;

}  // namespace

watch::watch() : fd_(std::make_shared<unique_fd>(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC))) {
  if (!*fd_) throw system_error("files: watch", errno);
  io_ = io_handle(fd_->get());
}

void watch::add(std::string path) {
  detail::check_path(path);
  const int number = detail::off_loop([on = fd_, path] {
    const int made = ::inotify_add_watch(on->get(), path.c_str(), wanted);
    if (made < 0) detail::throw_failed("watch", path, errno);
    return made;
  });
  paths_[number] = std::move(path);
}

bool watch::remove(std::string_view path) {
  const auto found =
      std::find_if(paths_.begin(), paths_.end(), [&](const auto& one) { return one.second == path; });
  if (found == paths_.end()) return false;
  ::inotify_rm_watch(fd_->get(), found->first);  // it fails where the watched thing is gone
  paths_.erase(found);
  std::erase_if(told_, [&](const change& one) { return one.watched == path; });
  return true;
}

std::optional<change> watch::next_until(steady_time until) {
  while (told_.empty()) {
    if (read_changes()) continue;
    io_.mark_not_readable();
    if (!io_.wait_readable_until(until)) return std::nullopt;
  }
  change first = std::move(told_.front());
  told_.pop_front();
  return first;
}

/// False where there are none.
bool watch::read_changes() {
  alignas(inotify_event) char buffer[4096];
  const ssize_t count = ::read(fd_->get(), buffer, sizeof buffer);
  if (count < 0 && errno == EAGAIN) return false;
  if (count < 0 && errno != EINTR) throw system_error("files: read changes", errno);
  for (ssize_t at = 0; at < count;) {
    inotify_event one;
    std::memcpy(&one, buffer + at, sizeof one);
    const char* const name = buffer + at + sizeof one;
    take(one.wd, one.mask, one.cookie, one.len == 0 ? std::string_view() : std::string_view(name));
    at += static_cast<ssize_t>(sizeof one + one.len);
  }
  return true;
}

void watch::take(int number, std::uint32_t mask, std::uint32_t cookie, std::string_view name) {
  if ((mask & IN_Q_OVERFLOW) != 0) {
    told_.push_back({change_kind::overflow, {}, {}, 0});
    return;
  }
  const auto found = paths_.find(number);
  if (found == paths_.end()) return;  // removed meanwhile, or of an add() that was given up
  const auto tell = [&](change_kind kind) {
    told_.push_back({kind, found->second, std::string(name), cookie});
  };
  if ((mask & IN_CREATE) != 0) tell(change_kind::created);
  if ((mask & IN_DELETE) != 0) tell(change_kind::removed);
  if ((mask & IN_CLOSE_WRITE) != 0) tell(change_kind::written);
  if ((mask & IN_ATTRIB) != 0) tell(change_kind::attributes);
  if ((mask & IN_MOVED_FROM) != 0) tell(change_kind::moved_from);
  if ((mask & IN_MOVED_TO) != 0) tell(change_kind::moved_to);
  if ((mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0) {
    tell(change_kind::gone);
    if ((mask & IN_IGNORED) == 0) ::inotify_rm_watch(fd_->get(), number);
    paths_.erase(found);
  }
}

}  // namespace weft::inline v1::files
