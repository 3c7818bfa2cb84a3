#pragma once

#include <csignal>
#include <cstddef>
#include <memory>

namespace weft::inline v1::detail {

struct stack_record;

/// The canary of `stack` is overwritten: says whose stack it is, and ends the process as a fault does.
[[noreturn]] void die_of_overflow(const stack_record& stack) noexcept;

/// While it lives, a stack overflow of a fiber on this thread is reported by the fiber's name before
/// the process ends as it would have: a fault with a core. The handler runs on a stack of its own.
/// Where the program or a sanitizer handles SIGSEGV already, that handler stays.
class overflow_watch {
 public:
  overflow_watch();
  overflow_watch(const overflow_watch&) = delete;
  overflow_watch& operator=(const overflow_watch&) = delete;
  ~overflow_watch();

 private:
  static constexpr std::size_t stack_bytes = 32 * 1024;
  std::unique_ptr<std::byte[]> stack_;
  stack_t former_{};
};

}  // namespace weft::inline v1::detail
