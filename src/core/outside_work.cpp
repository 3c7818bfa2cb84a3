#include <weft/core/outside_work.hpp>

#include <pthread.h>
#include <atomic>
#include <utility>

#include <weft/core/oracle.hpp>

namespace weft::inline v1::detail {
namespace {

// Signed: in a forked child a guard of the forking thread may end after the count began anew.
std::atomic<std::int64_t> works_alive{0};
[[maybe_unused]] const int child_has_no_work =
    pthread_atfork(nullptr, nullptr, [] { works_alive.store(0, std::memory_order_relaxed); });

}  // namespace

outside_work::outside_work() noexcept : counted_(oracle::current() == nullptr) {
  if (counted_) works_alive.fetch_add(1, std::memory_order_seq_cst);
}

outside_work& outside_work::operator=(outside_work&& other) noexcept {
  if (this != &other) {
    end();
    counted_ = std::exchange(other.counted_, false);
  }
  return *this;
}

void outside_work::end() noexcept {
  if (std::exchange(counted_, false)) works_alive.fetch_sub(1, std::memory_order_seq_cst);
}

std::int64_t outside_work::count() noexcept {
  const std::int64_t now = works_alive.load(std::memory_order_seq_cst);
  return now > 0 ? now : 0;
}

}  // namespace weft::inline v1::detail
