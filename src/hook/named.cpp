#include "hook/named.hpp"

#include <limits.h>

namespace weft::inline v1::hook {
namespace {

bool has_sense(const timespec* bound) noexcept {
  return bound == nullptr || (bound->tv_sec >= 0 && bound->tv_nsec >= 0 && bound->tv_nsec < a_second);
}
std::int64_t bound_of(const timespec* bound) noexcept {
  return bound == nullptr ? -1 : nanoseconds_of(*bound);
}

}  // namespace

int poll_by(const engine* of, pollfd* all, nfds_t count, int timeout_ms) {
  if (of == nullptr || timeout_ms == 0) return real::poll(all, count, timeout_ms);
  return poll_here(*of, all, count, bound_of_ms(timeout_ms));
}

int ppoll_by(const engine* of, pollfd* all, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  if (of == nullptr || mask != nullptr || !has_sense(timeout)) return real::ppoll(all, count, timeout, mask);
  return poll_here(*of, all, count, bound_of(timeout));
}

int select_by(const engine* of, int count, fd_set* read, fd_set* write, fd_set* except, timeval* timeout) {
  const bool is_strange = timeout != nullptr && (timeout->tv_sec < 0 || timeout->tv_usec < 0);
  if (of == nullptr || is_strange) return real::select(count, read, write, except, timeout);
  const std::int64_t bound = timeout == nullptr ? -1 : nanoseconds_of(*timeout);
  const std::int64_t until = bound_after(*of, bound);
  const int result = select_here(*of, count, read, write, except, bound);
  if (timeout != nullptr) {  // as Linux has it: what is left
    const std::int64_t now = of->now();
    const std::int64_t left = until > now ? until - now : 0;
    *timeout = {left / a_second, left % a_second / 1000};
  }
  return result;
}

int pselect_by(const engine* of, int count, fd_set* read, fd_set* write, fd_set* except,
               const timespec* timeout, const sigset_t* mask) {
  if (of == nullptr || mask != nullptr || !has_sense(timeout)) {
    return real::pselect(count, read, write, except, timeout, mask);
  }
  return select_here(*of, count, read, write, except, bound_of(timeout));
}

unsigned sleep_by(const engine* of, unsigned seconds) {
  if (of == nullptr || is_other_process()) return real::sleep(seconds);
  const int before = errno;
  std::int64_t left = 0;
  if (sleep_for_here(*of, seconds * a_second, left)) errno = before;
  return static_cast<unsigned>((left + a_second - 1) / a_second);
}

int usleep_by(const engine* of, useconds_t microseconds) {
  if (of == nullptr) return real::usleep(microseconds);
  return nanosleep_here(*of, {microseconds / 1'000'000, static_cast<long>(microseconds % 1'000'000) * 1000},
                        nullptr);
}

int nanosleep_by(const engine* of, const timespec* time, timespec* left) {
  return of != nullptr ? nanosleep_here(*of, *time, left) : real::nanosleep(time, left);
}

int clock_nanosleep_by(const engine* of, clockid_t clock, int flags, const timespec* time, timespec* left) {
  return of != nullptr ? clock_nanosleep_here(*of, clock, flags, *time, left)
                       : real::clock_nanosleep(clock, flags, time, left);
}

int getaddrinfo_by(const engine* of, const char* node, const char* service, const addrinfo* hints,
                   addrinfo** result) {
  return of != nullptr ? look_up_here(*of, node, service, hints, result)
                       : real::getaddrinfo(node, service, hints, result);
}

int getnameinfo_by(const engine* by, const sockaddr* of, socklen_t of_bytes, char* host, socklen_t host_bytes,
                   char* service, socklen_t service_bytes, int flags) {
  const auto ask = [&] {
    return real::getnameinfo(of, of_bytes, host, host_bytes, service, service_bytes, flags);
  };
  if (by == nullptr || (flags & NI_NUMERICHOST) != 0) return ask();
  int result = 0;
  call_on_thread(*by, [&] { result = ask(); });
  return result;
}

}  // namespace weft::inline v1::hook
