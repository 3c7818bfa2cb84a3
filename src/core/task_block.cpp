#include <weft/core/late_wakes.hpp>
#include <weft/core/oracle.hpp>
#include <weft/core/safepoint.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/core/task_block.hpp>

#include <sched.h>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "core/futex.hpp"

namespace weft::inline v1::detail {

constinit thread_local std::atomic<bool> turn_due{true};
constinit thread_local unsigned safepoints_off = 0;

constinit thread_local task_block* running_task = nullptr;

namespace {

constinit thread_local late_wakes* collecting_wakes = nullptr;

/// A plain thread: parking blocks it.
class thread_block final : public task_block {
 public:
  thread_block() noexcept : task_block(next_task_id(), false) {}

  bool park_until(steady_time until) override {
    std::uint32_t found = nothing;
    if (!state_.compare_exchange_strong(found, parked, std::memory_order_acquire)) {
      state_.exchange(nothing, std::memory_order_acquire);  // sees what every unpark came after
      return true;
    }
    bool in_time = true;
    while (in_time && state_.load(std::memory_order_relaxed) == parked) {
      in_time = futex_wait(state_, parked, until);
    }
    // The permit may have come with the end of the bound.
    return state_.exchange(nothing, std::memory_order_acquire) == permitted;
  }

  void unpark() noexcept override {
    if (state_.exchange(permitted, std::memory_order_release) != parked) return;
    if (collecting_wakes == nullptr || !collecting_wakes->add(state_)) futex_wake_one(state_);
  }

  std::string_view name() const noexcept override { return "thread"; }

 private:
  static constexpr std::uint32_t nothing = 0;
  static constexpr std::uint32_t permitted = 1;
  static constexpr std::uint32_t parked = 2;
  std::atomic<std::uint32_t> state_{nothing};
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

late_wakes::late_wakes() noexcept : around_(std::exchange(collecting_wakes, this)) {}

late_wakes::~late_wakes() {
  collecting_wakes = around_;
  // Where a thread has ended meanwhile this wakes nobody.
  for (std::size_t n = 0; n < count_; ++n) futex_wake_one(*words_[n]);
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

}  // namespace weft::inline v1::detail
