#pragma once

#include <netdb.h>

#include "hook/caller.hpp"

namespace weft::inline v1::hook {

/// getaddrinfo on another thread; a caller that must give up leaves it there.
int look_up_here(const engine& of, const char* node, const char* service, const addrinfo* hints,
                 addrinfo** result) noexcept;

/// Calls `call` on another thread, and waits for it whatever happens; brings back its errno and h_errno.
/// Where there is no thread to be had, it is called here.
template <typename Call>
void call_on_thread(const engine& of, Call&& call) noexcept {
  struct carried {
    Call& call;
    int error;
    int host_error;
  } asked{call, 0, 0};
  const auto work = [](void* argument) {
    auto& one = *static_cast<carried*>(argument);
    one.call();
    one.error = errno;
    one.host_error = h_errno;
  };
  if (is_other_process() || of.run_blocking(work, &asked) != 0) {
    call();
    return;
  }
  errno = asked.error;
  h_errno = asked.host_error;
}

}  // namespace weft::inline v1::hook
