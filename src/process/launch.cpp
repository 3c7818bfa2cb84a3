#include "process/launch.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <memory>

#include <fcntl.h>

#include <weft/core/fault_point.hpp>

// The thread sanitizer replaces clone() and takes what it makes for a fork with memory of its own, which
// would ruin what it knows of this process; the C library's other name for it is left alone.
#if defined(__GLIBC__)
extern "C" int __clone(int (*run)(void*), void* stack_top, int flags, void* argument, ...) noexcept;
#define WEFT_CLONE __clone
#else
#define WEFT_CLONE ::clone
#endif

namespace weft::inline v1::process::detail {

namespace {

// Its frames are never left: a sanitizer must not count them.
#define WEFT_IN_NEW_PROCESS __attribute__((no_sanitize("address", "thread", "undefined"), noinline))

constexpr std::size_t stack_bytes = 64 * 1024;
constexpr int status_of_failure = 127;

struct shared_state {
  launch_plan* plan;
  launched result;
};

using signal_bits = std::uint64_t;

void change_signal_mask(signal_bits set, signal_bits* former) noexcept {
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, former, sizeof set);
}

WEFT_IN_NEW_PROCESS void give_up(shared_state& state, launch_step step, std::size_t which) noexcept {
  state.result.failed = step;
  state.result.why = errno;
  state.result.which = which;
  ::syscall(SYS_exit_group, status_of_failure);
}

// What the kernel takes; all zero is the default action.
struct kernel_action {
  unsigned long words[4];
};

WEFT_IN_NEW_PROCESS void default_signal_actions() noexcept {
  const kernel_action by_default{};
  for (int signal = 1; signal <= 64; ++signal) {
    ::syscall(SYS_rt_sigaction, signal, &by_default, nullptr, sizeof(signal_bits));
  }
}

WEFT_IN_NEW_PROCESS void close_from(int first) noexcept {
  if (::syscall(SYS_close_range, first, ~0U, 0) == 0) return;
  rlimit open_files{};
  ::syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &open_files);  // an old kernel: one at a time
  for (rlim_t fd = static_cast<rlim_t>(first); fd < open_files.rlim_cur; ++fd) ::syscall(SYS_close, fd);
}

// First copies above every wanted number, so that putting one in place cannot overwrite another.
WEFT_IN_NEW_PROCESS void place_descriptors(shared_state& state) noexcept {
  const inherited_descriptor* const wanted = state.plan->descriptors->data();
  const std::size_t count = state.plan->descriptors->size();
  int* const copies = state.plan->copies.data();
  int lowest = 3;
  for (std::size_t i = 0; i < count; ++i) lowest = wanted[i].there < lowest ? lowest : wanted[i].there + 1;
  for (std::size_t i = 0; i < count; ++i) {
    copies[i] = static_cast<int>(::syscall(SYS_fcntl, wanted[i].here, F_DUPFD, lowest));
    if (copies[i] < 0) give_up(state, launch_step::descriptors, i);
  }
  for (int number = 3; number < lowest; ++number) ::syscall(SYS_close, number);
  for (std::size_t i = 0; i < count; ++i) {
    if (::syscall(SYS_dup3, copies[i], wanted[i].there, 0) < 0) give_up(state, launch_step::descriptors, i);
  }
  close_from(lowest);
}

WEFT_IN_NEW_PROCESS void set_limits(shared_state& state) noexcept {
  const resource_limit* const limits = state.plan->limits.data();
  for (std::size_t i = 0; i < state.plan->limits.size(); ++i) {
    if (::syscall(SYS_prlimit64, 0, limits[i].resource, &limits[i].value, nullptr) != 0) {
      give_up(state, launch_step::limits, i);
    }
  }
}

WEFT_IN_NEW_PROCESS void die_with_thread(shared_state& state) noexcept {
  ::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // It may have ended before the line above.
  if (::syscall(SYS_getppid) != state.plan->dies_with) ::syscall(SYS_exit_group, status_of_failure);
}

WEFT_IN_NEW_PROCESS int become_program(void* argument) noexcept {
  auto& state = *static_cast<shared_state*>(argument);
  const launch_plan& plan = *state.plan;
  default_signal_actions();
  if (plan.own_group && ::syscall(SYS_setpgid, 0, 0) != 0) give_up(state, launch_step::make, 0);
  if (plan.dies_with != 0) die_with_thread(state);
  place_descriptors(state);
  if (plan.directory != nullptr && ::syscall(SYS_chdir, plan.directory) != 0) {
    give_up(state, launch_step::directory, 0);
  }
  set_limits(state);
  const signal_bits none = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
  ::syscall(SYS_execve, plan.program, plan.arguments, plan.environment);
  give_up(state, launch_step::program, 0);
  return status_of_failure;
}

void reap(int pidfd) noexcept {
  constexpr auto wait_by_pidfd = static_cast<idtype_t>(3);  // older C libraries have no name for it
  siginfo_t info{};
  while (::waitid(wait_by_pidfd, static_cast<id_t>(pidfd), &info, WEXITED) != 0 && errno == EINTR) {
  }
}

}  // namespace

launched launch(launch_plan& plan) {
  if (const int why = fault_errno("weft.process.spawn")) return {.failed = launch_step::make, .why = why};
  plan.copies.resize(plan.descriptors->size());
  const auto stack = std::make_unique_for_overwrite<std::byte[]>(stack_bytes);
  shared_state state{&plan, {}};
  int pidfd = -1;
  signal_bits former = 0;
  change_signal_mask(~signal_bits{0}, &former);
  const pid_t pid = WEFT_CLONE(&become_program, stack.get() + stack_bytes,
                               CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &state, &pidfd);
  const int why = errno;
  change_signal_mask(former, nullptr);
  if (pid < 0) return {.failed = launch_step::make, .why = why};
  unique_fd held(pidfd);
  if (state.result.failed != launch_step::done) {
    reap(held.get());
    return std::move(state.result);
  }
  return {.pid = pid, .pidfd = std::move(held)};
}

}  // namespace weft::inline v1::process::detail
