#include "jobs/sqlite/writer_lock.hpp"

#include <algorithm>
#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <weft/core/error.hpp>

namespace weft::inline v1::jobs::sqlite {
namespace {

constexpr long turnstile = 0;
constexpr long place = 1;
constexpr std::chrono::microseconds shortest_pause{50};
constexpr std::chrono::microseconds longest_pause{1000};

}  // namespace

writer_lock::writer_lock(std::string database_path) : path_(std::move(database_path) + ".weft-lock") {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) throw system_error("jobs: open the lock file \"" + path_ + "\"", errno);
}

writer_lock::~writer_lock() { ::close(fd_); }

void writer_lock::lock(std::chrono::milliseconds bound) {
  const auto until = std::chrono::steady_clock::now() + bound;
  wait_for_byte(turnstile, until);
  try {
    wait_for_byte(place, until);
  } catch (...) {
    try_byte(turnstile, F_UNLCK);
    throw;
  }
  try_byte(turnstile, F_UNLCK);
}

void writer_lock::unlock() noexcept {
  struct flock region {};
  region.l_type = F_UNLCK;
  region.l_whence = SEEK_SET;
  region.l_start = place;
  region.l_len = 1;
  ::fcntl(fd_, F_OFD_SETLK, &region);
}

bool writer_lock::try_byte(long offset, int type) const {
  struct flock region {};
  region.l_type = static_cast<short>(type);
  region.l_whence = SEEK_SET;
  region.l_start = offset;
  region.l_len = 1;
  while (::fcntl(fd_, F_OFD_SETLK, &region) != 0) {
    if (errno == EAGAIN || errno == EACCES) return false;
    if (errno != EINTR) throw system_error("jobs: lock \"" + path_ + "\"", errno);
  }
  return true;
}

void writer_lock::wait_for_byte(long offset, std::chrono::steady_clock::time_point until) const {
  auto pause = shortest_pause;
  while (!try_byte(offset, F_WRLCK)) {
    if (std::chrono::steady_clock::now() >= until) {
      throw error(errc::busy,
                  "jobs: lock \"" + path_ +
                      "\": another process has held it too long; is one stopped in a debugger, or is "
                      "the disk very slow?");
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, longest_pause);
  }
}

}  // namespace weft::inline v1::jobs::sqlite
