#include <weft/logbook/file.hpp>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/logbook/defer.hpp>

namespace weft::inline v1::logbook {

namespace {

errc code_of(int number) {
  if (number == ENOENT || number == ENOTDIR) return errc::not_found;
  return number == EACCES || number == EPERM || number == EISDIR ? errc::refused : errc::io_error;
}

}  // namespace

file::file(const std::string& path)
    : fd_(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640)) {
  if (fd_) return;
  const int number = errno;
  throw error(code_of(number), "logbook: open \"" + path + "\": " + std::strerror(number));
}

// A part of a line can only be there where the disk is full: what follows begins on a line of its own.
bool file::append(const std::string& line) noexcept {
  ssize_t count = -1;
  do {
    count = ::write(fd_.get(), line.data(), line.size());
  } while (count < 0 && errno == EINTR);
  if (count == static_cast<ssize_t>(line.size())) return true;
  if (count > 0) (void)!::write(fd_.get(), "\n", 1);
  return false;
}

void file::write(const log::collection& one) noexcept {
  try {
    if (append(to_line(one) + '\n')) return;
  } catch (...) {
    // Counted below.
  }
  dropped_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace weft::inline v1::logbook
