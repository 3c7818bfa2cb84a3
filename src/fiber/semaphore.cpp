#include <weft/fiber/semaphore.hpp>

#include <mutex>
#include <string>

#include <weft/core/error.hpp>

#include "fiber/contract.hpp"

// The protocol.
//
// permits_ is twice the number of permits that nobody has, plus 1 (`permits_wanted`) while tasks are in line.
//   while `permits_wanted` is clear   anyone adds and takes, by compare-and-exchange, without guard_
//   while `permits_wanted` is set     only the holder of guard_ changes it
//   `permits_wanted` set              by a task that is about to join the line, under guard_
//   `permits_wanted` cleared          under guard_, by whoever finds the line empty
// Whenever guard_ is free, `permits_wanted` is set exactly when the line is not empty, and then the first in
// line wants more than there is. So nobody overtakes, and no permit lies idle. A task that leaves the line
// unserved looks for those behind it, who may want less.
//
// A release under guard_ is for tasks in line only, who take guard_ before they go on; otherwise its
// compare-and-exchange is the last touch. So a task that acquired may destroy the semaphore.

namespace weft::inline v1 {
namespace {

constexpr std::uint64_t permits_wanted = 1;

/// What a task in line wants.
std::size_t wanted(const detail::waiter& one) noexcept { return *static_cast<const std::size_t*>(one.slot); }

void require_possible(const char* call, std::size_t permits) {
  if (permits <= semaphore::max()) return;
  throw error(errc::misuse, std::string(call) + ": " + std::to_string(permits) + " permits; at most " +
                                std::to_string(semaphore::max()) + " exist");
}

}  // namespace

semaphore::semaphore(std::size_t permits) : permits_(std::uint64_t{permits} << 1) {
  require_possible("semaphore", permits);
}

void semaphore::acquire(std::size_t permits) {
  if (!poll_acquire(permits)) wait_permits(permits, no_deadline);
}

bool semaphore::poll_acquire(std::size_t permits) {
  detail::check_cancelled("semaphore::acquire");
  require_possible("semaphore::acquire", permits);
  return try_acquire(permits);
}

bool semaphore::try_acquire(std::size_t permits) noexcept {
  std::uint64_t now = permits_.load(std::memory_order_relaxed);
  while ((now & permits_wanted) == 0 && now >> 1 >= permits) {
    if (permits_.compare_exchange_weak(now, now - (std::uint64_t{permits} << 1), std::memory_order_acquire,
                                       std::memory_order_relaxed))
      return true;
  }
  return false;
}

bool semaphore::wait_permits(std::size_t permits, steady_time until) {
  detail::require_wait_allowed("semaphore::acquire");
  std::unique_lock guard(guard_);
  if (!announce_wait(permits)) return true;
  detail::waiter self;
  self.slot = &permits;
  const auto outcome = detail::wait_in(waiters_, self, guard, until, "semaphore::acquire");
  if (outcome == detail::wait_outcome::served) return true;
  serve_line();
  guard.unlock();
  if (outcome == detail::wait_outcome::cancelled) detail::throw_cancelled("semaphore::acquire");
  return false;
}

/// Under guard_: sees to it that a release looks at the line. False if there is none: the permits are taken.
bool semaphore::announce_wait(std::size_t permits) noexcept {
  for (;;) {
    if (try_acquire(permits)) return false;
    std::uint64_t now = permits_.load(std::memory_order_relaxed);
    if ((now & permits_wanted) != 0) return true;
    if (now >> 1 >= permits) continue;
    if (permits_.compare_exchange_weak(now, now | permits_wanted, std::memory_order_relaxed)) return true;
  }
}

void semaphore::release(std::size_t permits) noexcept {
  while (!add_if_nobody_waits(permits)) {
    const std::lock_guard guard(guard_);
    if (waiters_.empty()) continue;  // they gave up
    permits_.fetch_add(std::uint64_t{permits} << 1, std::memory_order_relaxed);
    return serve_line();
  }
}

bool semaphore::add_if_nobody_waits(std::size_t permits) noexcept {
  std::uint64_t now = permits_.load(std::memory_order_relaxed);
  do {
    if (permits > max() - (now >> 1)) {
      detail::contract_broken("semaphore::release", std::to_string(permits) + " permits more than the " +
                                                        std::to_string(now >> 1) +
                                                        " there are exceed the maximum");
    }
    if ((now & permits_wanted) != 0) return false;
  } while (!permits_.compare_exchange_weak(now, now + (std::uint64_t{permits} << 1),
                                           std::memory_order_release, std::memory_order_relaxed));
  return true;
}

/// Under guard_, with `permits_wanted` set: so nobody else changes permits_. Passes on what came before a
/// release.
void semaphore::serve_line() noexcept {
  std::size_t left = permits_.load(std::memory_order_acquire) >> 1;
  while (!waiters_.empty() && wanted(*waiters_.front()) <= left) {
    left -= wanted(*waiters_.front());
    waiters_.serve_front();
  }
  permits_.store(std::uint64_t{left} << 1 | (waiters_.empty() ? 0 : permits_wanted),
                 std::memory_order_release);
}

std::size_t semaphore::available() const noexcept { return permits_.load(std::memory_order_relaxed) >> 1; }

std::size_t semaphore::waiting() const noexcept {
  const std::lock_guard guard(guard_);
  return waiters_.size();
}

}  // namespace weft::inline v1
