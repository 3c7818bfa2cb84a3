#include <weft/core/oracle.hpp>
#include <weft/core/safepoint.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/core/task_block.hpp>

#include <sched.h>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <new>

namespace weft::detail {

constinit thread_local std::atomic<bool> turn_due{true};
constinit thread_local unsigned safepoints_off = 0;

constinit thread_local task_block* running_task = nullptr;

namespace {

/// A plain thread: parking blocks it.
class thread_block final : public task_block {
 public:
  thread_block() noexcept : task_block(next_task_id(), false) {}

  bool park_until(steady_time until) override {
    std::unique_lock lock(mutex_);
    const auto has_permit = [this] { return permit_; };
    if (until == no_deadline) {
      wake_.wait(lock, has_permit);
    } else if (!wake_.wait_until(lock, until, has_permit)) {
      return false;
    }
    permit_ = false;
    return true;
  }

  void unpark() noexcept override {
    const std::lock_guard lock(mutex_);
    permit_ = true;
    wake_.notify_one();
  }

  std::string_view name() const noexcept override { return "thread"; }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool permit_ = false;  // guarded by mutex_
};

// The block of a plain thread is never destroyed: thread-local objects that end after it, and on the
// main thread the static ones, may still wait or log. It owns nothing but its memory.
alignas(thread_block) thread_local std::byte thread_block_storage[sizeof(thread_block)];
constinit thread_local thread_block* threads_own = nullptr;

}  // namespace

task_block& adopt_thread() noexcept {
  if (threads_own == nullptr) threads_own = ::new (thread_block_storage) thread_block;
  running_task = threads_own;
  return *threads_own;
}

std::uint64_t next_task_id() noexcept {
  if (oracle* const simulated = oracle::current()) [[unlikely]]
    return simulated->next_task_id();
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

void spin_lock::lock_slow() noexcept {
  constexpr int spins_max = 100;
  int spins = 0;
  do {
    while (locked_.load(std::memory_order_relaxed)) {
      spin_pause();
      if (++spins > spins_max) sched_yield();
    }
  } while (locked_.exchange(true, std::memory_order_acquire));
}

}  // namespace weft::detail
