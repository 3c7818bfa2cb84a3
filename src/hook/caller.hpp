#pragma once

#include <sys/types.h>
#include <cerrno>

#include <weft/fiber/hook_engine.hpp>
#include <weft/hook/hook.hpp>

namespace weft::inline v1::hook {

using engine = weft::detail::hook_engine;

/// What is known of a thread.
struct thread_state {
  const engine* of = nullptr;  ///< null: no loop runs here
  pid_t process = 0;           ///< that of the loop; a child that was forked, or by vfork, has another
  unsigned handlers = 0;       ///< of signals that run
  off* offs = nullptr;         ///< of all fibers here, the newest first
};

// constinit: not dynamically. NOLINTNEXTLINE(bugprone-dynamic-static-initializers)
[[gnu::tls_model("initial-exec")]] extern constinit thread_local thread_state this_thread;

/// The engine where the caller is a fiber that may wait, and the kind is hooked; else null: the call is
/// libc's.
const engine* ask_engine(calls kind) noexcept;
/// Likewise, whatever is hooked and off.
const engine* ask_engine() noexcept;

inline const engine* engine_for(calls kind) noexcept {
  if (this_thread.of == nullptr) [[likely]]
    return nullptr;
  return ask_engine(kind);
}

/// True in a child that shares our memory or a copy of it: it must not touch the loop.
bool is_other_process() noexcept;

/// Brings errno back, where a call ends well.
class errno_before {
 public:
  errno_before() noexcept : value_(errno) {}
  errno_before(const errno_before&) = delete;
  errno_before& operator=(const errno_before&) = delete;
  template <typename Result>
  Result keep(Result result) const noexcept {
    if (result >= 0) errno = value_;
    return result;
  }

 private:
  const int value_;
};

}  // namespace weft::inline v1::hook
