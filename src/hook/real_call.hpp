#pragma once

#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <atomic>

namespace weft::inline v1::hook {

/// A function of libc, or of whoever stands between us and libc (a sanitizer), found at first use: calls come
/// before our constructors run.
template <typename Function>
class real_call;

template <typename Result, typename... Args>
class real_call<Result(Args...)> {
 public:
  constexpr explicit real_call(const char* name) noexcept : name_(name) {}
  Result operator()(Args... args) { return get()(args...); }
  using function = Result (*)(Args...);
  function get() noexcept {
    function known = found_.load(std::memory_order_relaxed);
    if (known == nullptr) [[unlikely]] {
      known = reinterpret_cast<function>(dlsym(RTLD_NEXT, name_));
      found_.store(known, std::memory_order_relaxed);
    }
    return known;
  }

 private:
  const char* name_;
  std::atomic<function> found_{nullptr};
};

namespace real {

inline constinit real_call<ssize_t(int, void*, size_t)> read{"read"};
inline constinit real_call<ssize_t(int, const iovec*, int)> readv{"readv"};
inline constinit real_call<ssize_t(int, const void*, size_t)> write{"write"};
inline constinit real_call<ssize_t(int, const iovec*, int)> writev{"writev"};
inline constinit real_call<ssize_t(int, void*, size_t, int)> recv{"recv"};
inline constinit real_call<ssize_t(int, void*, size_t, int, sockaddr*, socklen_t*)> recvfrom{"recvfrom"};
inline constinit real_call<ssize_t(int, msghdr*, int)> recvmsg{"recvmsg"};
inline constinit real_call<ssize_t(int, const void*, size_t, int)> send{"send"};
inline constinit real_call<ssize_t(int, const void*, size_t, int, const sockaddr*, socklen_t)> sendto{
    "sendto"};
inline constinit real_call<ssize_t(int, const msghdr*, int)> sendmsg{"sendmsg"};
inline constinit real_call<int(int, sockaddr*, socklen_t*)> accept{"accept"};
inline constinit real_call<int(int, sockaddr*, socklen_t*, int)> accept4{"accept4"};
inline constinit real_call<int(int, const sockaddr*, socklen_t)> connect{"connect"};
inline constinit real_call<int(pollfd*, nfds_t, int)> poll{"poll"};
inline constinit real_call<int(pollfd*, nfds_t, const timespec*, const sigset_t*)> ppoll{"ppoll"};
inline constinit real_call<int(int, fd_set*, fd_set*, fd_set*, timeval*)> select{"select"};
inline constinit real_call<int(int, fd_set*, fd_set*, fd_set*, const timespec*, const sigset_t*)> pselect{
    "pselect"};
inline constinit real_call<int(int, epoll_event*, int, int)> epoll_wait{"epoll_wait"};
inline constinit real_call<int(int, epoll_event*, int, int, const sigset_t*)> epoll_pwait{"epoll_pwait"};
inline constinit real_call<unsigned(unsigned)> sleep{"sleep"};
inline constinit real_call<int(useconds_t)> usleep{"usleep"};
inline constinit real_call<int(const timespec*, timespec*)> nanosleep{"nanosleep"};
inline constinit real_call<int(clockid_t, int, const timespec*, timespec*)> clock_nanosleep{
    "clock_nanosleep"};
inline constinit real_call<int(const char*, const char*, const addrinfo*, addrinfo**)> getaddrinfo{
    "getaddrinfo"};
inline constinit real_call<int(const sockaddr*, socklen_t, char*, socklen_t, char*, socklen_t, int)>
    getnameinfo{"getnameinfo"};
inline constinit real_call<hostent*(const char*)> gethostbyname{"gethostbyname"};
inline constinit real_call<hostent*(const char*, int)> gethostbyname2{"gethostbyname2"};
inline constinit real_call<hostent*(const void*, socklen_t, int)> gethostbyaddr{"gethostbyaddr"};
inline constinit real_call<int(const char*, hostent*, char*, size_t, hostent**, int*)> gethostbyname_r{
    "gethostbyname_r"};
inline constinit real_call<int(const char*, int, hostent*, char*, size_t, hostent**, int*)> gethostbyname2_r{
    "gethostbyname2_r"};
inline constinit real_call<int(const void*, socklen_t, int, hostent*, char*, size_t, hostent**, int*)>
    gethostbyaddr_r{"gethostbyaddr_r"};
inline constinit real_call<int(int)> close{"close"};
inline constinit real_call<int(int, int)> dup2{"dup2"};
inline constinit real_call<int(int, int, int)> dup3{"dup3"};
inline constinit real_call<int(unsigned, unsigned, int)> close_range{"close_range"};
inline constinit real_call<void(int)> closefrom{"closefrom"};
inline constinit real_call<int(int, const struct sigaction*, struct sigaction*)> sigaction{"sigaction"};
inline constinit real_call<sighandler_t(int, sighandler_t)> signal{"signal"};

/// Finds all of them now, so that nobody has to in a signal handler or beside a fork.
void find_all() noexcept;

}  // namespace real
}  // namespace weft::inline v1::hook
