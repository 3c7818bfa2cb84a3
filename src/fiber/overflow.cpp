#include "fiber/overflow.hpp"

#include <unistd.h>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <source_location>
#include <string_view>

#include "fiber/runtime.hpp"
#include "fiber/scheduler.hpp"

namespace weft::inline v1::detail {
namespace {

// Async-signal-safe text: a fixed buffer and write(2).
class message {
 public:
  message& operator<<(std::string_view text) noexcept {
    const std::size_t count = std::min(text.size(), sizeof text_ - size_);
    std::memcpy(text_ + size_, text.data(), count);
    size_ += count;
    return *this;
  }
  message& operator<<(std::uint64_t number) noexcept { return add(number, 10); }
  message& add_address(const void* address) noexcept {
    return (*this << "0x").add(reinterpret_cast<std::uintptr_t>(address), 16);
  }
  void print() const noexcept { [[maybe_unused]] const auto put = write(STDERR_FILENO, text_, size_); }

 private:
  message& add(std::uint64_t number, int base) noexcept {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number, base);
    return *this << std::string_view(digits, static_cast<std::size_t>(end.ptr - digits));
  }

  char text_[1024];
  std::size_t size_ = 0;
};

void report(const fiber_block& fiber, std::size_t stack_bytes, const void* address) noexcept {
  message text;
  text << "weft: stack overflow in fiber " << fiber.id() << " \"" << fiber.name() << "\", made by fiber "
       << fiber.parent_id();
  const std::source_location place = fiber.made_at();
  if (place.line() != 0) text << " at " << place.file_name() << ":" << place.line();
  text << ": it needs more than the " << stack_bytes << " bytes of its stack";
  if (address != nullptr) (text << " (fault at ").add_address(address) << ")";
  text << "; raise stack_bytes in run_options or go_options, or keep large arrays off the stack\n";
  text.print();
}

void on_fault(int signal, siginfo_t* info, void*) {
  const scheduler* const here = scheduler::current();
  const fiber_block* const fiber = here == nullptr ? nullptr : here->running();
  if (fiber != nullptr && here->stacks().is_guard(info->si_addr)) {
    report(*fiber, here->running_stack()->pool->stack_bytes(), info->si_addr);
  }
  // Back at the faulting instruction the default action ends the process, with a core of this state.
  std::signal(signal, SIG_DFL);
  if (info->si_code <= 0) std::raise(signal);  // sent by a process: there is no instruction that faults again
}

void install_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction former {};
    if (sigaction(SIGSEGV, nullptr, &former) != 0 || (former.sa_flags & SA_SIGINFO) != 0 ||
        former.sa_handler != SIG_DFL) {
      return;
    }
    struct sigaction ours {};
    ours.sa_sigaction = &on_fault;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&ours.sa_mask);
    sigaction(SIGSEGV, &ours, nullptr);
  });
}

}  // namespace

void die_of_overflow(const stack_record& stack) noexcept {
  const fiber_block* whose = nullptr;
  for (const scheduler* const loop : scheduler::current()->of().loops()) {
    loop->for_each_alive([&](const fiber_block& one) {
      if (one.stack() == &stack) whose = &one;
    });
  }
  if (whose != nullptr) {
    report(*whose, stack.pool->stack_bytes(), nullptr);
  } else {
    message text;
    text << "weft: stack overflow in a fiber that has just ended: it needed more than the "
         << stack.pool->stack_bytes() << " bytes of its stack\n";
    text.print();
  }
  std::signal(SIGSEGV, SIG_DFL);
  std::raise(SIGSEGV);
  std::abort();  // the signal is blocked
}

overflow_watch::overflow_watch() : stack_(std::make_unique<std::byte[]>(stack_bytes)) {
  install_once();
  sigaltstack(nullptr, &former_);
  if ((former_.ss_flags & SS_DISABLE) == 0) return;  // the thread has one: a sanitizer's, or the program's
  stack_t ours{};
  ours.ss_sp = stack_.get();
  ours.ss_size = stack_bytes;
  sigaltstack(&ours, nullptr);
}

overflow_watch::~overflow_watch() { sigaltstack(&former_, nullptr); }

}  // namespace weft::inline v1::detail
