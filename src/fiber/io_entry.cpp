#include "fiber/io_entry.hpp"

#include <sys/epoll.h>
#include <mutex>
#include <optional>
#include <string>

#include <weft/core/error.hpp>
#include <weft/core/outside_work.hpp>

#include "fiber/io_table.hpp"
#include "fiber/scheduler.hpp"

namespace weft::inline v1::detail {
namespace {

constexpr std::uint32_t always = EPOLLHUP | EPOLLERR;
constexpr std::uint32_t read_edges = EPOLLIN | EPOLLRDHUP | always;
constexpr std::uint32_t write_edges = EPOLLOUT | always;

[[noreturn]] void throw_closed(const char* what, int fd) {
  throw error(errc::closed, std::string(what) + ": descriptor " + std::to_string(fd) +
                                " was closed by another task, or its run has ended");
}

io_waiter* who_wants(const waiter_line& line, std::uint32_t wants) noexcept {
  for (waiter* one = line.front(); one != nullptr; one = line.behind(*one)) {
    auto* const waiting = static_cast<io_waiter*>(one);
    if ((waiting->wants & wants) != 0) return waiting;
  }
  return nullptr;
}

/// Counts a task that is parked here; see io_table::waiting(). What wakes a fiber of another loop, which
/// may be of another run, comes from outside for it.
class counted {
 public:
  explicit counted(io_table& table) noexcept : table_(table) {
    table_.count_waiting(1);
    scheduler* const here = scheduler::current();
    if (here != nullptr && &here->io().table() != &table_) from_outside_.emplace();
  }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { table_.count_waiting(-1); }

 private:
  io_table& table_;
  std::optional<outside_work> from_outside_;
};

/// Keeps an entry while a task is inside.
class held {
 public:
  explicit held(io_entry& entry) noexcept : entry_(entry) { entry_.retain(); }
  held(const held&) = delete;
  held& operator=(const held&) = delete;
  ~held() { entry_.release(); }

 private:
  io_entry& entry_;
};

}  // namespace

io_entry::direction_state& io_entry::state_of(std::uint32_t direction) noexcept {
  return direction == EPOLLIN ? read_ : write_;
}

bool io_entry::is_closed() noexcept {
  const std::lock_guard lock(lock_);
  return closed_;
}

void io_entry::watch_writable() noexcept {
  const std::lock_guard lock(lock_);
  watches_writable_ = true;
}

bool io_entry::deliver(std::uint32_t events) noexcept {
  const std::lock_guard lock(lock_);
  if (closed_) return false;
  const bool for_nobody =
      watches_writable_ && (events & EPOLLOUT) != 0 && who_wants(waiters_, EPOLLOUT) == nullptr;
  // Before the lock is given back: who finds this will ask for it again.
  if (for_nobody) watches_writable_ = false;
  // Every event has the whole state, so a stream that got a new writer is no longer ended.
  read_ended_ = (events & (EPOLLRDHUP | EPOLLHUP)) != 0;
  if ((events & read_edges) != 0) {
    read_.ready = true;
    ++read_.edges;
  }
  if ((events & write_edges) != 0) {
    write_.ready = true;
    ++write_.edges;
  }
  for (waiter* one = waiters_.front(); one != nullptr;) {
    auto* const waiting = static_cast<io_waiter*>(one);
    one = waiters_.behind(*one);
    const std::uint32_t ends = (waiting->wants & EPOLLIN) != 0 ? EPOLLRDHUP | always : always;
    waiting->got = events & (waiting->wants | ends);
    if (waiting->got != 0) waiters_.serve(*waiting);
  }
  return for_nobody;
}

void io_entry::close() noexcept {
  const std::lock_guard lock(lock_);
  closed_ = true;
  waiters_.serve_all();
}

void io_entry::mark_not_ready(std::uint32_t direction) noexcept {
  const std::lock_guard lock(lock_);
  direction_state& state = state_of(direction);
  if (state.edges != state.seen) return;
  // A short read may have left the end of the stream behind it.
  state.ready = direction == EPOLLIN && read_ended_;
}

std::uint32_t io_entry::wait(std::uint32_t wants, steady_time until, const char* what) {
  const held inside(*this);
  std::unique_lock lock(lock_);
  return wait_locked(lock, wants, until, what);
}

bool io_entry::wait_edge(std::uint32_t wants, steady_time until, const char* what) {
  const held inside(*this);
  std::unique_lock lock(lock_);
  direction_state& state = state_of(wants);
  if (wants == EPOLLOUT && !state.ready && !closed_ && !watches_writable_) {
    lock.unlock();
    table_->watch_writable(*this);  // an edge of now comes as well
    lock.lock();
  }
  const bool ready = (state.ready && !closed_) || wait_locked(lock, wants, until, what) != 0;
  if (ready) state.seen = state.edges;
  return ready;
}

std::uint32_t io_entry::wait_locked(std::unique_lock<spin_lock>& lock, std::uint32_t wants, steady_time until,
                                    const char* what) {
  if (closed_) {
    lock.unlock();
    throw_closed(what, fd_);
  }
  if (const io_waiter* const first = who_wants(waiters_, wants)) throw_second(lock, *first, what);
  io_waiter self;
  self.wants = wants;
  const counted parked(*table_);
  const auto outcome = wait_in(waiters_, self, lock, until, what);
  if (outcome == wait_outcome::served && self.got != 0) return self.got;
  lock.unlock();
  if (outcome == wait_outcome::served) throw_closed(what, fd_);
  if (outcome == wait_outcome::cancelled) throw_cancelled(what);
  return 0;
}

void io_entry::throw_second(std::unique_lock<spin_lock>& lock, const waiter& first, const char* what) {
  char name[64] = {};  // copied while the first one cannot leave, and without an allocation under the lock
  first.task->name().copy(name, sizeof name - 1);
  const auto id = first.task->id();
  lock.unlock();
  const task_block& second = task_block::current();
  throw error(errc::busy, std::string(what) + ": task " + std::to_string(second.id()) + " \"" +
                              std::string(second.name()) + "\" would wait for descriptor " +
                              std::to_string(fd_) + " while task " + std::to_string(id) + " \"" + name +
                              "\" does; let one task read and one write");
}

}  // namespace weft::inline v1::detail
