#include "hook/real_call.hpp"

namespace weft::inline v1::hook::real {
namespace {

template <typename... Calls>
void find(Calls&... calls) noexcept {
  (static_cast<void>(calls.get()), ...);
}

[[gnu::constructor]] void find_at_load() noexcept { find_all(); }

}  // namespace

void find_all() noexcept {
  find(read, readv, write, writev, recv, recvfrom, recvmsg, send, sendto, sendmsg, accept, accept4, connect);
  find(poll, ppoll, select, pselect, epoll_wait, epoll_pwait, sleep, usleep, nanosleep, clock_nanosleep);
  find(getaddrinfo, getnameinfo, gethostbyname, gethostbyname2, gethostbyaddr);
  find(gethostbyname_r, gethostbyname2_r, gethostbyaddr_r);
  find(close, dup2, dup3, close_range, closefrom, sigaction, signal);
}

}  // namespace weft::inline v1::hook::real
