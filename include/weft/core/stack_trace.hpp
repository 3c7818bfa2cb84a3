#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weft::inline v1 {

/// The calls that led to a point: return addresses only, innermost first, at most `frames_max`.
///
/// Taking one is cheap (about a microsecond for ten frames) and allocates nothing; names are looked up
/// later, by a `symbolizer`, in the same process. A plain value: copy it, keep it, hand it to a thread.
class stack_trace {
 public:
  static constexpr std::size_t frames_max = 64;

  stack_trace() noexcept = default;

  /// The calls that led here. `skip` leaves out that many callers, from the innermost on; what does not
  /// fit into frames_max is left out at the outer end. Ends at the first frame of a fiber. Never throws;
  /// also in a signal handler with glibc 2.35 or newer, where looking up frames takes no lock.
  [[gnu::noinline]] static stack_trace current(std::size_t skip = 0) noexcept;

  /// Each is one past a byte of the call or, where a signal interrupted, of the instruction that is meant.
  std::span<const std::uintptr_t> addresses() const noexcept { return {addresses_.data(), size_}; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

 private:
  std::array<std::uintptr_t, frames_max> addresses_;
  std::size_t size_ = 0;
};

}  // namespace weft::inline v1
