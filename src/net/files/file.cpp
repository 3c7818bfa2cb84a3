#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include <weft/net/files.hpp>

#include "net/files/file_io.hpp"
#include "net/files/off_loop.hpp"

namespace weft::inline v1::files {

struct file::shared {
  unique_fd fd;
  std::string name;
};

namespace {

int flags_of(mode how, links at_end) noexcept {
  const int end = at_end == links::keep ? O_NOFOLLOW : 0;
  switch (how) {
    case mode::read:
      return end | O_RDONLY;
    case mode::write:
      return end | O_WRONLY | O_CREAT | O_TRUNC;
    case mode::append:
      return end | O_WRONLY | O_CREAT | O_APPEND;
    case mode::update:
      return end | O_RDWR | O_CREAT;
    default:
      return end | O_RDWR | O_CREAT | O_EXCL;
  }
}

std::int64_t checked_offset(std::uint64_t offset) {
  if (offset > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    throw error(errc::invalid_argument, "files: an offset beyond what a file can have");
  return static_cast<std::int64_t>(offset);
}

/// Is what lies there in memory? Where the system cannot say, it is not.
bool is_loaded(int fd, std::int64_t offset) noexcept {
  char byte;
  const iovec room{&byte, 1};
  return ::preadv2(fd, &room, 1, offset, RWF_NOWAIT) >= 0;
}

}  // namespace

file file::open(std::string path, mode how, open_options options) {
  detail::check_path(path);
  return detail::off_loop([path = std::move(path), how, options] {
    unique_fd opened = detail::open_file(path, flags_of(how, options.at_end), options.permissions);
    return file(std::move(opened), path);
  });
}

file::file(unique_fd opened, std::string name)
    : shared_(std::make_shared<shared>(shared{std::move(opened), std::move(name)})) {}

int file::fd() const noexcept { return shared_ == nullptr ? -1 : shared_->fd.get(); }

const std::shared_ptr<file::shared>& file::opened() const {
  if (shared_ == nullptr) throw error(errc::closed, "files: the file is not open");
  return shared_;
}

std::string file::read(std::size_t bytes_max) {
  return detail::off_loop(
      [on = opened(), bytes_max] { return detail::read_some(on->fd.get(), -1, bytes_max, on->name); });
}

std::string file::read_at(std::uint64_t offset, std::size_t bytes_max) {
  return detail::off_loop([on = opened(), at = checked_offset(offset), bytes_max] {
    return detail::read_some(on->fd.get(), at, bytes_max, on->name);
  });
}

void file::load(std::uint64_t offset, std::size_t bytes) {
  const std::int64_t begin = checked_offset(offset);
  const std::int64_t last = checked_offset(offset + std::max<std::size_t>(bytes, 1) - 1);
  const int fd = opened()->fd.get();
  if (is_loaded(fd, begin) && is_loaded(fd, last)) return;
  read_at(offset, bytes);
}

void file::write(std::string bytes) {
  detail::off_loop(
      [on = opened(), bytes = std::move(bytes)] { detail::write_all(on->fd.get(), -1, bytes, on->name); });
}

void file::write_at(std::uint64_t offset, std::string bytes) {
  detail::off_loop([on = opened(), at = checked_offset(offset), bytes = std::move(bytes)] {
    detail::write_all(on->fd.get(), at, bytes, on->name);
  });
}

info file::stat() {
  return detail::off_loop([on = opened()] { return detail::info_of(on->fd.get(), on->name); });
}

void file::resize(std::uint64_t bytes) {
  detail::off_loop([on = opened(), bytes = checked_offset(bytes)] {
    if (detail::uninterrupted([&] { return ::ftruncate(on->fd.get(), bytes); }) != 0)
      detail::throw_failed("resize", on->name, errno);
  });
}

void file::sync() {
  detail::off_loop([on = opened()] { detail::sync_file(on->fd.get(), on->name); });
}

void file::close() {
  if (shared_ == nullptr) return;
  detail::off_loop([on = std::move(shared_)] {
    // A call that was given up may still use it; then the last one closes.
    if (on.use_count() > 1) return;
    if (::close(on->fd.release()) != 0 && errno != EINTR) detail::throw_failed("close", on->name, errno);
  });
}

}  // namespace weft::inline v1::files
