// The names of libc for calls that move bytes.

#include "hook/exported.hpp"
#include "hook/io_calls.hpp"

namespace {

using namespace weft::hook;

/// Null where neither kind is hooked.
by_kind readers() noexcept { return {engine_for(calls::sockets), engine_for(calls::descriptors)}; }

const engine* sockets() noexcept { return engine_for(calls::sockets); }

}  // namespace

// libc's names.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

[[noreturn]] void __chk_fail(void);

WEFT_EXPORTED ssize_t read(int fd, void* into, size_t bytes) {
  if (this_thread.of == nullptr) [[likely]]
    return real::read(fd, into, bytes);
  const iovec all{into, bytes};
  return read_vector(readers(), fd, &all, 1);
}
WEFT_EXPORTED ssize_t readv(int fd, const iovec* into, int count) {
  if (this_thread.of == nullptr) [[likely]]
    return real::readv(fd, into, count);
  return read_vector(readers(), fd, into, count);
}
WEFT_EXPORTED ssize_t write(int fd, const void* from, size_t bytes) {
  if (this_thread.of == nullptr) [[likely]]
    return real::write(fd, from, bytes);
  const iovec all{const_cast<void*>(from), bytes};
  return write_vector(readers(), fd, &all, 1);
}
WEFT_EXPORTED ssize_t writev(int fd, const iovec* from, int count) {
  if (this_thread.of == nullptr) [[likely]]
    return real::writev(fd, from, count);
  return write_vector(readers(), fd, from, count);
}

WEFT_EXPORTED ssize_t recv(int fd, void* into, size_t bytes, int flags) {
  const engine* const of = sockets();
  return of != nullptr ? receive_into(*of, fd, into, bytes, flags) : real::recv(fd, into, bytes, flags);
}
WEFT_EXPORTED ssize_t recvfrom(int fd, void* into, size_t bytes, int flags, sockaddr* from,
                               socklen_t* from_bytes) {
  const engine* const of = sockets();
  return of != nullptr ? receive_from(*of, fd, into, bytes, flags, from, from_bytes)
                       : real::recvfrom(fd, into, bytes, flags, from, from_bytes);
}
WEFT_EXPORTED ssize_t recvmsg(int fd, msghdr* message, int flags) {
  const engine* const of = sockets();
  return of != nullptr ? receive(*of, fd, message, flags) : real::recvmsg(fd, message, flags);
}
WEFT_EXPORTED ssize_t send(int fd, const void* from, size_t bytes, int flags) {
  const engine* const of = sockets();
  return of != nullptr ? transmit_from(*of, fd, from, bytes, flags, nullptr, 0)
                       : real::send(fd, from, bytes, flags);
}
WEFT_EXPORTED ssize_t sendto(int fd, const void* from, size_t bytes, int flags, const sockaddr* to,
                             socklen_t to_bytes) {
  const engine* const of = sockets();
  return of != nullptr ? transmit_from(*of, fd, from, bytes, flags, to, to_bytes)
                       : real::sendto(fd, from, bytes, flags, to, to_bytes);
}
WEFT_EXPORTED ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  const engine* const of = sockets();
  return of != nullptr ? transmit(*of, fd, *message, flags) : real::sendmsg(fd, message, flags);
}
WEFT_EXPORTED int accept(int fd, sockaddr* from, socklen_t* from_bytes) {
  const engine* const of = sockets();
  return of != nullptr ? take_connection(*of, fd, from, from_bytes, 0) : real::accept(fd, from, from_bytes);
}
WEFT_EXPORTED int accept4(int fd, sockaddr* from, socklen_t* from_bytes, int flags) {
  const engine* const of = sockets();
  return of != nullptr ? take_connection(*of, fd, from, from_bytes, flags)
                       : real::accept4(fd, from, from_bytes, flags);
}
WEFT_EXPORTED int connect(int fd, const sockaddr* to, socklen_t to_bytes) {
  const engine* const of = sockets();
  return of != nullptr ? make_connection(*of, fd, to, to_bytes) : real::connect(fd, to, to_bytes);
}

// What code calls that was compiled with -D_FORTIFY_SOURCE, and other names that libc has for the same.

WEFT_EXPORTED ssize_t __read_chk(int fd, void* into, size_t bytes, size_t room) {
  if (bytes > room) __chk_fail();
  return ::read(fd, into, bytes);
}
WEFT_EXPORTED ssize_t __recv_chk(int fd, void* into, size_t bytes, size_t room, int flags) {
  if (bytes > room) __chk_fail();
  return ::recv(fd, into, bytes, flags);
}
WEFT_EXPORTED ssize_t __recvfrom_chk(int fd, void* into, size_t bytes, size_t room, int flags, sockaddr* from,
                                     socklen_t* from_bytes) {
  if (bytes > room) __chk_fail();
  return ::recvfrom(fd, into, bytes, flags, from, from_bytes);
}
WEFT_EXPORTED ssize_t __read(int fd, void* into, size_t bytes) { return ::read(fd, into, bytes); }
WEFT_EXPORTED ssize_t __write(int fd, const void* from, size_t bytes) { return ::write(fd, from, bytes); }
WEFT_EXPORTED ssize_t __send(int fd, const void* from, size_t bytes, int flags) {
  return ::send(fd, from, bytes, flags);
}
WEFT_EXPORTED int __connect(int fd, const sockaddr* to, socklen_t to_bytes) {
  return ::connect(fd, to, to_bytes);
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
