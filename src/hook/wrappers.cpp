#include <weft/hook/calls.hpp>

#include "hook/exported.hpp"
#include "hook/io_calls.hpp"
#include "hook/named.hpp"

namespace weft::inline v1::hook {
namespace {

by_kind always() noexcept {
  const engine* const of = ask_engine();
  return {of, of};
}

}  // namespace

WEFT_EXPORTED ssize_t read(int fd, void* into, std::size_t bytes) {
  const iovec all{into, bytes};
  return read_vector(always(), fd, &all, 1);
}
WEFT_EXPORTED ssize_t readv(int fd, const iovec* into, int count) {
  return read_vector(always(), fd, into, count);
}
WEFT_EXPORTED ssize_t write(int fd, const void* from, std::size_t bytes) {
  const iovec all{const_cast<void*>(from), bytes};
  return write_vector(always(), fd, &all, 1);
}
WEFT_EXPORTED ssize_t writev(int fd, const iovec* from, int count) {
  return write_vector(always(), fd, from, count);
}

WEFT_EXPORTED ssize_t recv(int fd, void* into, std::size_t bytes, int flags) {
  const engine* const of = ask_engine();
  return of != nullptr ? receive_into(*of, fd, into, bytes, flags) : real::recv(fd, into, bytes, flags);
}
WEFT_EXPORTED ssize_t recvfrom(int fd, void* into, std::size_t bytes, int flags, sockaddr* from,
                               socklen_t* from_bytes) {
  const engine* const of = ask_engine();
  return of != nullptr ? receive_from(*of, fd, into, bytes, flags, from, from_bytes)
                       : real::recvfrom(fd, into, bytes, flags, from, from_bytes);
}
WEFT_EXPORTED ssize_t recvmsg(int fd, msghdr* message, int flags) {
  const engine* const of = ask_engine();
  return of != nullptr ? receive(*of, fd, message, flags) : real::recvmsg(fd, message, flags);
}
WEFT_EXPORTED ssize_t send(int fd, const void* from, std::size_t bytes, int flags) {
  return hook::sendto(fd, from, bytes, flags, nullptr, 0);
}
WEFT_EXPORTED ssize_t sendto(int fd, const void* from, std::size_t bytes, int flags, const sockaddr* to,
                             socklen_t to_bytes) {
  const engine* const of = ask_engine();
  return of != nullptr ? transmit_from(*of, fd, from, bytes, flags, to, to_bytes)
                       : real::sendto(fd, from, bytes, flags, to, to_bytes);
}
WEFT_EXPORTED ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  const engine* const of = ask_engine();
  return of != nullptr ? transmit(*of, fd, *message, flags) : real::sendmsg(fd, message, flags);
}
WEFT_EXPORTED int accept(int fd, sockaddr* from, socklen_t* from_bytes) {
  return hook::accept4(fd, from, from_bytes, 0);
}
WEFT_EXPORTED int accept4(int fd, sockaddr* from, socklen_t* from_bytes, int flags) {
  const engine* const of = ask_engine();
  return of != nullptr ? take_connection(*of, fd, from, from_bytes, flags)
                       : real::accept4(fd, from, from_bytes, flags);
}
WEFT_EXPORTED int connect(int fd, const sockaddr* to, socklen_t to_bytes) {
  const engine* const of = ask_engine();
  return of != nullptr ? make_connection(*of, fd, to, to_bytes) : real::connect(fd, to, to_bytes);
}

WEFT_EXPORTED int poll(pollfd* all, nfds_t count, int timeout_ms) {
  return poll_by(ask_engine(), all, count, timeout_ms);
}
WEFT_EXPORTED int ppoll(pollfd* all, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  return ppoll_by(ask_engine(), all, count, timeout, mask);
}
WEFT_EXPORTED int select(int count, fd_set* read, fd_set* write, fd_set* except, timeval* timeout) {
  return select_by(ask_engine(), count, read, write, except, timeout);
}
WEFT_EXPORTED int pselect(int count, fd_set* read, fd_set* write, fd_set* except, const timespec* timeout,
                          const sigset_t* mask) {
  return pselect_by(ask_engine(), count, read, write, except, timeout, mask);
}

WEFT_EXPORTED unsigned sleep(unsigned seconds) { return sleep_by(ask_engine(), seconds); }
WEFT_EXPORTED int usleep(useconds_t microseconds) { return usleep_by(ask_engine(), microseconds); }
WEFT_EXPORTED int nanosleep(const timespec* time, timespec* left) {
  return nanosleep_by(ask_engine(), time, left);
}
WEFT_EXPORTED int clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* left) {
  return clock_nanosleep_by(ask_engine(), clock, flags, time, left);
}

WEFT_EXPORTED int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                              addrinfo** result) {
  return getaddrinfo_by(ask_engine(), node, service, hints, result);
}
WEFT_EXPORTED int getnameinfo(const sockaddr* of, socklen_t of_bytes, char* host, socklen_t host_bytes,
                              char* service, socklen_t service_bytes, int flags) {
  return getnameinfo_by(ask_engine(), of, of_bytes, host, host_bytes, service, service_bytes, flags);
}

}  // namespace weft::inline v1::hook
