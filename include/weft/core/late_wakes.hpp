#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace weft::inline v1::detail {

/// While it lives, plain threads that this thread unparks are marked as such at once and roused at its end.
///
/// Made before a lock is taken and ended after it was given back: a thread that is roused under the lock of
/// its line runs into it on another core. Nothing in between waits or runs others' code: their wakes would be
/// late too. Only a few; the next ones are roused at once. Nothing for fibers.
class late_wakes {
 public:
  late_wakes() noexcept;
  late_wakes(const late_wakes&) = delete;
  late_wakes& operator=(const late_wakes&) = delete;
  ~late_wakes();

  /// For the block of a thread. False: there is no room.
  bool add(std::atomic<std::uint32_t>& word) noexcept {
    if (count_ == words_max) return false;
    words_[count_++] = &word;
    return true;
  }

 private:
  static constexpr std::size_t words_max = 4;
  late_wakes* const around_;
  std::size_t count_ = 0;
  std::atomic<std::uint32_t>* words_[words_max];
};

}  // namespace weft::inline v1::detail
