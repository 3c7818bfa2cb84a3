#include "fiber/guest_wait.hpp"

#include <weft/context/wait.hpp>

#include "fiber/blocking_wait.hpp"
#include "fiber/io_table.hpp"
#include "fiber/scheduler.hpp"

namespace weft::inline v1::detail {
namespace {

/// Registered for this one wait.
class guest {
 public:
  guest(scheduler& here, int fd, const char* what)
      : table_(here.io().table()), entry_(*table_.enter(fd, what)) {}
  guest(const guest&) = delete;
  guest& operator=(const guest&) = delete;
  ~guest() { table_.leave(entry_); }
  io_entry& operator*() const noexcept { return entry_; }

 private:
  io_table& table_;
  io_entry& entry_;
};

}  // namespace

std::uint32_t wait_as_guest(int fd, std::uint32_t wants, steady_time until, const char* what) {
  scheduler* const here = scheduler::current();
  check_cancelled(what);
  if (here == nullptr && fd >= 0) return block_until_ready(fd, wants, until, what);
  if (const auto ready = ready_now(fd, wants, what)) return ready;
  if (until != no_deadline && until <= steady_clock::now()) return 0;
  require_wait_allowed(what);
  return (*guest(*here, fd, what)).wait(wants, until, what);
}

}  // namespace weft::inline v1::detail
