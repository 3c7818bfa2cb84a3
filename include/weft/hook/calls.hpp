#pragma once

#include <netdb.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#include <cstddef>

/// The calls of libc by names of their own, for code that says where it waits.
///
/// Each does what the call of its name does, with the same arguments, results and errno, but on a fiber it
/// suspends the fiber, whatever set_hooked() and `off` say. On a plain thread, in a no_wait_scope, in a
/// signal handler and in a child that was forked it is the call itself.
///
/// Cancellation: a call that would have to wait gives -1 with errno ECANCELED once the task was cancelled,
/// and ETIMEDOUT when its deadline has passed; getaddrinfo gives EAI_SYSTEM with such an errno. Nothing is
/// ever thrown. Any thread.
namespace weft::inline v1::hook {

ssize_t read(int fd, void* into, std::size_t bytes);
ssize_t readv(int fd, const iovec* into, int count);
ssize_t write(int fd, const void* from, std::size_t bytes);
ssize_t writev(int fd, const iovec* from, int count);

ssize_t recv(int fd, void* into, std::size_t bytes, int flags);
ssize_t recvfrom(int fd, void* into, std::size_t bytes, int flags, sockaddr* from, socklen_t* from_bytes);
ssize_t recvmsg(int fd, msghdr* message, int flags);
ssize_t send(int fd, const void* from, std::size_t bytes, int flags);
ssize_t sendto(int fd, const void* from, std::size_t bytes, int flags, const sockaddr* to,
               socklen_t to_bytes);
ssize_t sendmsg(int fd, const msghdr* message, int flags);
int accept(int fd, sockaddr* from, socklen_t* from_bytes);
int accept4(int fd, sockaddr* from, socklen_t* from_bytes, int flags);
int connect(int fd, const sockaddr* to, socklen_t to_bytes);

int poll(pollfd* all, nfds_t count, int timeout_ms);
/// With a signal mask it blocks the thread: signals are the thread's.
int ppoll(pollfd* all, nfds_t count, const timespec* timeout, const sigset_t* mask);
int select(int count, fd_set* read, fd_set* write, fd_set* except, timeval* timeout);
/// As ppoll.
int pselect(int count, fd_set* read, fd_set* write, fd_set* except, const timespec* timeout,
            const sigset_t* mask);

unsigned sleep(unsigned seconds);
int usleep(useconds_t microseconds);
int nanosleep(const timespec* time, timespec* left);
/// The error is the result, and errno stays as it was.
int clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* left);

int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result);
int getnameinfo(const sockaddr* of, socklen_t of_bytes, char* host, socklen_t host_bytes, char* service,
                socklen_t service_bytes, int flags);

}  // namespace weft::inline v1::hook
