#include "process/call_filter.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

// A filter of the kernel is a small program that gets number, architecture and arguments of each call. It
// jumps forward only, counting instructions.

namespace weft::inline v1::process::detail {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t own_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t own_architecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t own_architecture = 0;
#endif

// Calls of the x32 kind have the architecture of the others.
constexpr std::uint32_t other_kind_from = 0x40000000;

class filter {
 public:
  void load(std::size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
  void give(std::uint32_t answer) { add(BPF_RET | BPF_K, answer); }
  void give_error(int error) { give(SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)); }
  /// The next `count` instructions are for this value only.
  void skip_unless(std::uint32_t value, std::uint8_t count = 1) {
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count);
  }
  void skip_if(std::uint32_t value, std::uint8_t count = 1) {
    add(BPF_JMP | BPF_JEQ | BPF_K, value, count, 0);
  }
  void skip_below(std::uint32_t value, std::uint8_t count = 1) {
    add(BPF_JMP | BPF_JGE | BPF_K, value, 0, count);
  }
  void forbid(long call) {
    skip_unless(static_cast<std::uint32_t>(call));
    give_error(EPERM);
  }

  bool install() noexcept {
    const sock_fprog program{static_cast<unsigned short>(count_), steps_.data()};
    return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
  }

 private:
  void add(unsigned code, std::uint32_t value, std::uint8_t yes = 0, std::uint8_t no = 0) {
    steps_[count_++] = {static_cast<std::uint16_t>(code), yes, no, value};
  }

  std::array<sock_filter, 64> steps_{};
  std::size_t count_ = 0;
};

// All numbers are of the lower half: the machines above are little-endian.
constexpr std::size_t first_argument = offsetof(seccomp_data, args);

void forbid_network(filter& into) {
  constexpr std::uint8_t steps = 4;
  into.skip_unless(static_cast<std::uint32_t>(SYS_socket), steps);
  into.load(first_argument);
  into.skip_unless(AF_UNIX);
  into.give(SECCOMP_RET_ALLOW);
  into.give_error(EACCES);
}

}  // namespace

bool filter_calls(system_calls allowed) noexcept {
  if (own_architecture == 0) {
    errno = ENOSYS;
    return false;
  }
  filter made;
  made.load(offsetof(seccomp_data, arch));
  made.skip_if(own_architecture);
  made.give(SECCOMP_RET_KILL_PROCESS);
  made.load(offsetof(seccomp_data, nr));
  made.skip_below(other_kind_from);
  made.give(SECCOMP_RET_KILL_PROCESS);
  for (const long around :
       {SYS_io_uring_setup, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd}) {
    made.forbid(around);
  }
  if (allowed != system_calls::no_network) {
    made.forbid(SYS_execve);
    made.forbid(SYS_execveat);
  }
  if (allowed != system_calls::no_exec) forbid_network(made);
  made.give(SECCOMP_RET_ALLOW);
  return made.install();
}

}  // namespace weft::inline v1::process::detail
