// The names of libc for calls that wait for descriptors, for time and for name servers.

#include "hook/exported.hpp"
#include "hook/hosts.hpp"
#include "hook/named.hpp"

namespace {

using namespace weft::hook;

const engine* polls() noexcept { return engine_for(calls::polls); }
const engine* sleeps() noexcept { return engine_for(calls::sleeps); }
const engine* names() noexcept { return engine_for(calls::names); }

}  // namespace

// libc's names.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

[[noreturn]] void __chk_fail(void);

WEFT_EXPORTED int poll(pollfd* all, nfds_t count, int timeout_ms) {
  return poll_by(polls(), all, count, timeout_ms);
}
WEFT_EXPORTED int ppoll(pollfd* all, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  return ppoll_by(polls(), all, count, timeout, mask);
}
WEFT_EXPORTED int select(int count, fd_set* read, fd_set* write, fd_set* except, timeval* timeout) {
  return select_by(polls(), count, read, write, except, timeout);
}
WEFT_EXPORTED int pselect(int count, fd_set* read, fd_set* write, fd_set* except, const timespec* timeout,
                          const sigset_t* mask) {
  return pselect_by(polls(), count, read, write, except, timeout, mask);
}
WEFT_EXPORTED int epoll_wait(int epoll, epoll_event* into, int most, int timeout_ms) {
  const engine* const of = timeout_ms != 0 ? polls() : nullptr;
  return of != nullptr ? epoll_wait_here(*of, epoll, into, most, bound_of_ms(timeout_ms))
                       : real::epoll_wait(epoll, into, most, timeout_ms);
}
WEFT_EXPORTED int epoll_pwait(int epoll, epoll_event* into, int most, int timeout_ms, const sigset_t* mask) {
  const engine* const of = timeout_ms != 0 && mask == nullptr ? polls() : nullptr;
  return of != nullptr ? epoll_wait_here(*of, epoll, into, most, bound_of_ms(timeout_ms))
                       : real::epoll_pwait(epoll, into, most, timeout_ms, mask);
}

WEFT_EXPORTED int __poll(pollfd* all, nfds_t count, int timeout_ms) { return ::poll(all, count, timeout_ms); }
WEFT_EXPORTED int __poll_chk(pollfd* all, nfds_t count, int timeout_ms, size_t bytes) {
  if (bytes / sizeof *all < count) __chk_fail();
  return ::poll(all, count, timeout_ms);
}
WEFT_EXPORTED int __ppoll_chk(pollfd* all, nfds_t count, const timespec* timeout, const sigset_t* mask,
                              size_t bytes) {
  if (bytes / sizeof *all < count) __chk_fail();
  return ::ppoll(all, count, timeout, mask);
}
WEFT_EXPORTED int __select(int count, fd_set* read, fd_set* write, fd_set* except, timeval* timeout) {
  return ::select(count, read, write, except, timeout);
}

WEFT_EXPORTED unsigned sleep(unsigned seconds) { return sleep_by(sleeps(), seconds); }
WEFT_EXPORTED int usleep(useconds_t microseconds) { return usleep_by(sleeps(), microseconds); }
WEFT_EXPORTED int nanosleep(const timespec* time, timespec* left) {
  return nanosleep_by(sleeps(), time, left);
}
WEFT_EXPORTED int clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* left) {
  return clock_nanosleep_by(sleeps(), clock, flags, time, left);
}
WEFT_EXPORTED int __nanosleep(const timespec* time, timespec* left) { return ::nanosleep(time, left); }

WEFT_EXPORTED int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                              addrinfo** result) {
  return getaddrinfo_by(names(), node, service, hints, result);
}
WEFT_EXPORTED int getnameinfo(const sockaddr* of, socklen_t of_bytes, char* host, socklen_t host_bytes,
                              char* service, socklen_t service_bytes, int flags) {
  return getnameinfo_by(names(), of, of_bytes, host, host_bytes, service, service_bytes, flags);
}
WEFT_EXPORTED hostent* gethostbyname(const char* name) {
  const engine* const of = names();
  if (of == nullptr) return real::gethostbyname(name);
  return host_by(*of, [=](host_room& into, hostent** found, int* failed) {
    return real::gethostbyname_r(name, &into.entry, into.text(), into.text_bytes, found, failed);
  });
}
WEFT_EXPORTED hostent* gethostbyname2(const char* name, int family) {
  const engine* const of = names();
  if (of == nullptr) return real::gethostbyname2(name, family);
  return host_by(*of, [=](host_room& into, hostent** found, int* failed) {
    return real::gethostbyname2_r(name, family, &into.entry, into.text(), into.text_bytes, found, failed);
  });
}
WEFT_EXPORTED hostent* gethostbyaddr(const void* address, socklen_t bytes, int family) {
  const engine* const of = names();
  if (of == nullptr) return real::gethostbyaddr(address, bytes, family);
  return host_by(*of, [=](host_room& into, hostent** found, int* failed) {
    return real::gethostbyaddr_r(address, bytes, family, &into.entry, into.text(), into.text_bytes, found,
                                 failed);
  });
}
WEFT_EXPORTED int gethostbyname_r(const char* name, hostent* into, char* buffer, size_t bytes,
                                  hostent** found, int* failed) {
  const engine* const of = names();
  int result = 0;
  const auto ask = [&] { result = real::gethostbyname_r(name, into, buffer, bytes, found, failed); };
  return of != nullptr ? (call_on_thread(*of, ask), result)
                       : real::gethostbyname_r(name, into, buffer, bytes, found, failed);
}
WEFT_EXPORTED int gethostbyname2_r(const char* name, int family, hostent* into, char* buffer, size_t bytes,
                                   hostent** found, int* failed) {
  const engine* const of = names();
  int result = 0;
  const auto ask = [&] { result = real::gethostbyname2_r(name, family, into, buffer, bytes, found, failed); };
  return of != nullptr ? (call_on_thread(*of, ask), result)
                       : real::gethostbyname2_r(name, family, into, buffer, bytes, found, failed);
}
WEFT_EXPORTED int gethostbyaddr_r(const void* address, socklen_t address_bytes, int family, hostent* into,
                                  char* buffer, size_t bytes, hostent** found, int* failed) {
  const engine* const of = names();
  int result = 0;
  const auto ask = [&] {
    result = real::gethostbyaddr_r(address, address_bytes, family, into, buffer, bytes, found, failed);
  };
  return of != nullptr
             ? (call_on_thread(*of, ask), result)
             : real::gethostbyaddr_r(address, address_bytes, family, into, buffer, bytes, found, failed);
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
