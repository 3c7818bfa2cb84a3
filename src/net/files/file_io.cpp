#include "net/files/file_io.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <weft/core/fault_point.hpp>

#include "net/files/off_loop.hpp"

namespace weft::inline v1::files::detail {

namespace {

/// The clock ends in 2262, and a file may say anything.
std::chrono::system_clock::time_point time_of(const timespec& time) noexcept {
  using time_point = std::chrono::system_clock::time_point;
  const std::chrono::seconds seconds(time.tv_sec);
  if (seconds >= std::chrono::floor<std::chrono::seconds>(time_point::max().time_since_epoch()))
    return time_point::max();
  if (seconds <= std::chrono::ceil<std::chrono::seconds>(time_point::min().time_since_epoch()))
    return time_point::min();
  return time_point(seconds + std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace

info info_of(const struct ::stat& seen) noexcept {
  info told;
  told.kind = S_ISREG(seen.st_mode)   ? kind::file
              : S_ISDIR(seen.st_mode) ? kind::folder
              : S_ISLNK(seen.st_mode) ? kind::link
                                      : kind::other;
  told.bytes = static_cast<std::uint64_t>(seen.st_size);
  told.modified = time_of(seen.st_mtim);
  told.permissions = seen.st_mode & 07777;
  told.inode = seen.st_ino;
  told.device = seen.st_dev;
  told.links = seen.st_nlink;
  return told;
}

info info_of(int fd, const std::string& name) {
  struct ::stat seen {};
  if (::fstat(fd, &seen) != 0) throw_failed("look at", name, errno);
  return info_of(seen);
}

unique_fd open_file(const std::string& path, int flags, unsigned permissions) {
  unique_fd opened(uninterrupted([&] {
    if (fault_errno("weft.files.open") != 0) return -1;
    return ::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, permissions);
  }));
  if (!opened) throw_failed("open", path, errno);
  return opened;
}

std::string read_some(int fd, std::int64_t offset, std::size_t bytes_max, const std::string& name) {
  constexpr std::size_t piece_bytes = 256 * 1024;
  std::string all;
  while (all.size() < bytes_max) {
    const std::size_t had = all.size();
    const std::size_t wanted = std::min(bytes_max - had, std::max(piece_bytes, had));
    all.resize(had + wanted);
    const ssize_t count = uninterrupted([&] {
      if (fault_errno("weft.files.read") != 0) return ssize_t{-1};
      return offset < 0 ? ::read(fd, all.data() + had, wanted)
                        : ::pread(fd, all.data() + had, wanted, offset + static_cast<std::int64_t>(had));
    });
    const int failed = errno;
    all.resize(had + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0) throw_failed("read", name, failed);
    if (count == 0) break;
  }
  if (all.size() < all.capacity() / 2) all.shrink_to_fit();
  return all;
}

void write_all(int fd, std::int64_t offset, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t count = uninterrupted([&] {
      if (fault_errno("weft.files.write") != 0) return ssize_t{-1};
      return offset < 0 ? ::write(fd, bytes.data(), bytes.size())
                        : ::pwrite(fd, bytes.data(), bytes.size(), offset);
    });
    if (count < 0) throw_failed("write", name, errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
    if (offset >= 0) offset += count;
  }
}

void sync_file(int fd, const std::string& name) {
  if (uninterrupted([fd] { return fault_errno("weft.files.sync") != 0 ? -1 : ::fsync(fd); }) != 0)
    throw_failed("sync", name, errno);
}

std::string folder_of(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  const std::size_t slash = end == std::string::npos ? 0 : path.rfind('/', end);
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace weft::inline v1::files::detail
