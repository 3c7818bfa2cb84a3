#pragma once

#include <cstdint>

namespace weft::inline v1::detail {

/// What libweft_hook.so asks of the runtime, which is in the program: plain functions, so that the library
/// has no code of weft in it and can be loaded into any program.
///
/// All members are for a thread of a run; those that wait are for a fiber where may_wait() is true. None
/// throws. Times are nanoseconds of weft's steady clock, which is virtual in a simulation; `never` has no
/// end. `what` is a literal that names the wait. The waits give 0 when it came, a negative errno else:
/// -ECANCELED and -ETIMEDOUT where the task must give up (the second one for its deadline), -EBADF where the
/// descriptor was closed meanwhile, -EBUSY where another task waits for the same, -ENOTSUP where the runtime
/// cannot wait for it.
struct hook_engine {
  static constexpr std::int64_t never = INT64_MAX;
  static constexpr int bound_passed = 1;

  /// Is the caller a fiber that may wait?
  bool (*may_wait)() noexcept;
  std::uint64_t (*task_id)() noexcept;
  std::int64_t (*now)() noexcept;
  /// Until one of `events` (of poll: IN, OUT, PRI) may hold, or gives bound_passed.
  int (*wait_descriptor)(int fd, std::uint32_t events, std::int64_t until, const char* what) noexcept;
  int (*sleep)(std::int64_t until) noexcept;
  void (*yield)() noexcept;
  /// Calls work(argument) on a thread where it may block. The wait is not cut short. -EAGAIN: there is no
  /// thread.
  int (*run_blocking)(void (*work)(void*), void* argument) noexcept;
  /// The same, but the caller may give up and leave: release(argument) is called when nobody works with it
  /// there any more, also where it never ran.
  int (*run_abandonable)(void (*work)(void*), void* argument, void (*release)(void*)) noexcept;
  /// These descriptors are about to be closed: ends what the run's loops keep of them; who waits gets -EBADF.
  void (*closing)(unsigned first, unsigned last) noexcept;
};

/// Exported by libweft_hook.so: from here on the calling thread's calls are for that engine; null: no longer
/// for any.
using hook_thread_function = void (*)(const hook_engine* engine) noexcept;
inline constexpr const char* hook_thread_name = "weft_hook_thread_1";
/// Exported by it too: this program has the runtime in it.
using hook_program_function = void (*)() noexcept;
inline constexpr const char* hook_program_name = "weft_hook_program_1";

}  // namespace weft::inline v1::detail
