#pragma once

#include "hook/names.hpp"
#include "hook/polling.hpp"
#include "hook/sleeping.hpp"

// The calls that wait, as both the wrappers and libc's names make them; `of` is null where it is to be libc's
// own.

namespace weft::inline v1::hook {

int poll_by(const engine* of, pollfd* all, nfds_t count, int timeout_ms);
int ppoll_by(const engine* of, pollfd* all, nfds_t count, const timespec* timeout, const sigset_t* mask);
int select_by(const engine* of, int count, fd_set* read, fd_set* write, fd_set* except, timeval* timeout);
int pselect_by(const engine* of, int count, fd_set* read, fd_set* write, fd_set* except,
               const timespec* timeout, const sigset_t* mask);
unsigned sleep_by(const engine* of, unsigned seconds);
int usleep_by(const engine* of, useconds_t microseconds);
int nanosleep_by(const engine* of, const timespec* time, timespec* left);
int clock_nanosleep_by(const engine* of, clockid_t clock, int flags, const timespec* time, timespec* left);
int getaddrinfo_by(const engine* of, const char* node, const char* service, const addrinfo* hints,
                   addrinfo** result);
int getnameinfo_by(const engine* by, const sockaddr* of, socklen_t of_bytes, char* host, socklen_t host_bytes,
                   char* service, socklen_t service_bytes, int flags);

}  // namespace weft::inline v1::hook
