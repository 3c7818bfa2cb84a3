#include "workers/throw_stack.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <dlfcn.h>

#include <weft/core/stack_trace.hpp>
#include <weft/core/symbolizer.hpp>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WEFT_WATCHES_THROWS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WEFT_WATCHES_THROWS 0
#endif
#endif
#ifndef WEFT_WATCHES_THROWS
#define WEFT_WATCHES_THROWS 1
#endif

namespace weft::inline v1::workers::detail {

namespace {

// Between throw and catch few others are thrown, by destructors and by fibers that run meanwhile.
constexpr std::size_t remembered = 8;
constexpr std::size_t frames_shown = 32;

struct remembered_throw {
  const void* object = nullptr;
  stack_trace from;
};

struct thread_throws {
  int watches = 0;
  std::size_t next = 0;
  std::array<remembered_throw, remembered> latest{};
};

thread_throws& throws_here() noexcept {
  thread_local thread_throws here;
  return here;
}

// libstdc++ keeps the address of the thrown object, and nothing else, in an exception_ptr.
const void* object_of(const std::exception_ptr& thrown) noexcept {
  static_assert(sizeof thrown == sizeof(void*));
  const void* object = nullptr;
  std::memcpy(&object, static_cast<const void*>(&thrown), sizeof object);
  return object;
}

#if WEFT_WATCHES_THROWS
// A frame of its own, as it leaves itself and its caller out.
[[gnu::noinline]] void remember(const void* object) noexcept {
  auto& here = throws_here();
  if (here.watches == 0) return;
  // Its address may have been that of an exception that is gone.
  for (auto& one : here.latest) {
    if (one.object == object) one.object = nullptr;
  }
  here.latest[here.next] = {object, stack_trace::current(2)};
  here.next = (here.next + 1) % remembered;
}
#endif

std::vector<std::string> names_of(const stack_trace& trace) {
  // Kept: a worker's errors come from few places.
  static symbolizer& names = *new symbolizer;
  std::vector<std::string> lines;
  for (const auto address : trace.addresses()) {
    for (const auto& frame : names.find(address - 1)) {
      if (lines.size() == frames_shown) return lines;
      lines.push_back(frame.to_string());
    }
  }
  return lines;
}

// The loader knows the program by its arguments, in whose place there is a title.
std::string module_name(const Dl_info& module) {
  if (module.dli_fname[0] == '/') return module.dli_fname;
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? module.dli_fname : program.string();
}

std::vector<std::string> addresses_of(const stack_trace& trace) {
  std::vector<std::string> lines;
  for (const auto address : trace.addresses().first(std::min(trace.size(), frames_shown))) {
    stack_frame frame{.address = address - 1};
    Dl_info module{};
    if (::dladdr(reinterpret_cast<void*>(frame.address), &module) != 0 && module.dli_fname != nullptr) {
      frame.module = module_name(module);
      frame.offset = frame.address - reinterpret_cast<std::uintptr_t>(module.dli_fbase);
    }
    lines.push_back(frame.to_string());
  }
  return lines;
}

}  // namespace

throw_watch::throw_watch(error_stacks wanted) noexcept : wanted_(wanted) {
  if (wanted_ == error_stacks::none) return;
  auto& here = throws_here();
  if (here.watches++ == 0) here.latest = {};
}

throw_watch::~throw_watch() {
  if (wanted_ != error_stacks::none) --throws_here().watches;
}

std::vector<std::string> throw_watch::stack_of(const std::exception_ptr& thrown) const {
  const void* const object = object_of(thrown);
  if (wanted_ == error_stacks::none || object == nullptr) return {};
  for (const auto& one : throws_here().latest) {
    if (one.object != object) continue;
    try {
      return wanted_ == error_stacks::names ? names_of(one.from) : addresses_of(one.from);
    } catch (const std::exception&) {
      return {};  // out of memory, which the limits of a worker may make scarce
    }
  }
  return {};
}

}  // namespace weft::inline v1::workers::detail

#if WEFT_WATCHES_THROWS

// In place of the library's, which it calls. Weak: a program linked statically keeps the library's.
// NOLINTNEXTLINE(readability-identifier-naming): its name is given
extern "C" [[gnu::weak, noreturn]] void __cxa_throw(void* object, void* type, void (*destroy)(void*)) {
  using throw_function = void (*)(void*, void*, void (*)(void*));
  static const auto throw_it = reinterpret_cast<throw_function>(::dlsym(RTLD_NEXT, "__cxa_throw"));
  weft::workers::detail::remember(object);
  if (throw_it != nullptr) throw_it(object, type, destroy);
  std::abort();
}

#endif
