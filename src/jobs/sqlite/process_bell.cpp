#include "jobs/sqlite/process_bell.hpp"

#include <climits>
#include <utility>

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <weft/core/oracle.hpp>
#include <weft/core/unique_fd.hpp>

namespace weft::inline v1::jobs::sqlite {
namespace {

constexpr std::size_t page_bytes = 4096;

void* map_file(const std::string& path) noexcept {
  const unique_fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  // With its room on the disk, so that no write through the map fails.
  if (!file || ::posix_fallocate(file.get(), 0, page_bytes) != 0) return nullptr;
  void* const mapped = ::mmap(nullptr, page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  return mapped == MAP_FAILED ? nullptr : mapped;
}

}  // namespace

process_bell::process_bell(const std::string& database_path)
    : page_(static_cast<page*>(map_file(database_path + ".weft-bell"))) {}

process_bell::~process_bell() {
  if (listens_.load()) {
    stopping_.store(true);
    page_->listening.fetch_sub(1);
    page_->rung.fetch_add(1);
    wake_all();
    listener_.join();
  }
  if (page_ != nullptr) ::munmap(page_, page_bytes);
}

bool process_bell::listen(std::function<void()> heard) {
  if (page_ == nullptr || weft::detail::oracle::current() != nullptr) return false;
  page_->listening.fetch_add(1);
  const std::uint32_t seen = page_->rung.load();
  listener_ =
      weft::detail::started_thread("weft-sqlite-bell", weft::detail::thread_signals::blocked,
                                   [this, seen, tell = std::move(heard)] { sleep_and_tell(seen, tell); });
  listens_.store(true);
  return true;
}

void process_bell::ring() noexcept {
  if (page_ == nullptr) return;
  page_->rung.fetch_add(1);
  const std::uint32_t own = listens_.load() ? 1 : 0;
  if (page_->listening.load() > own) wake_all();
}

void process_bell::sleep_and_tell(std::uint32_t seen, const std::function<void()>& heard) const {
  while (!stopping_.load()) {
    ::syscall(SYS_futex, &page_->rung, FUTEX_WAIT, seen, nullptr, nullptr, 0);
    const std::uint32_t now = page_->rung.load();
    if (now == std::exchange(seen, now) || stopping_.load()) continue;
    heard();
  }
}

void process_bell::wake_all() const noexcept {
  ::syscall(SYS_futex, &page_->rung, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace weft::inline v1::jobs::sqlite
