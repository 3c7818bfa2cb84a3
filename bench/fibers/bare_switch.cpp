#include "fibers/bare_switch.hpp"

#include <cstdint>
#include <memory>

#include "support/figure.hpp"
#include "support/measure.hpp"

#if defined(__x86_64__)

asm(R"(
    .pushsection .text
    .align 16
    .type weft_bench_switch, @function
weft_bench_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    popq %rcx
    jmp *%rcx
    .size weft_bench_switch, .-weft_bench_switch
    .popsection
)");

extern "C" void weft_bench_switch(void** save_sp, void* to_sp) noexcept;

namespace weft::bench {
namespace {

void* main_sp = nullptr;
void* other_sp = nullptr;

[[noreturn]] void bounce() {
  for (;;) weft_bench_switch(&other_sp, main_sp);
}

}  // namespace

double bare_switch(std::size_t switches) {
  constexpr std::size_t bytes = 64 * 1024;
  const auto stack = std::make_unique<std::byte[]>(bytes);
  auto top = reinterpret_cast<std::uintptr_t>(stack.get() + bytes) & ~std::uintptr_t{15};
  auto** sp = reinterpret_cast<void**>(top) - 8;  // six registers, the entry, and its return address
  sp[6] = reinterpret_cast<void*>(&bounce);
  other_sp = sp;
  return cpu_ns_per(switches, [&] { repeat(switches / 2, [] { weft_bench_switch(&main_sp, other_sp); }); });
}

}  // namespace weft::bench

#else

namespace weft::bench {

double bare_switch(std::size_t) { throw unavailable("written for x86-64 only"); }

}  // namespace weft::bench

#endif
