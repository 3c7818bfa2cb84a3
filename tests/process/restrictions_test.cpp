#include <weft/process/restrictions.hpp>

#include <cerrno>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/process/child.hpp>

namespace weft::process {
namespace {

/// The status of a child that was restricted so and did this.
template <typename Work>
int status_of(restrictions wanted, Work work) {
  return child::fork([&]() -> int {
           apply(wanted);
           return work();
         })
      .wait()
      .value;
}

int oom_score_adj() {
  int value = 0;
  std::ifstream("/proc/self/oom_score_adj") >> value;
  return value;
}

TEST(restrictions, none_change_nothing) {
  EXPECT_EQ(status_of({}, [] { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); }), 0);
}

TEST(restrictions, niceness) {
  EXPECT_EQ(status_of({.niceness = 19}, [] { return ::getpriority(PRIO_PROCESS, 0); }), 19);
}

TEST(restrictions, oom_score) {
  EXPECT_EQ(status_of({.oom_score_adj = 123}, [] { return oom_score_adj() == 123 ? 1 : 0; }), 1);
}

TEST(restrictions, no_new_privileges) {
  EXPECT_EQ(status_of({.no_new_privileges = true}, [] { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); }),
            1);
}

TEST(restrictions, what_the_system_refuses_is_named) {
  EXPECT_EQ(
      status_of({},
                [] {
                  try {
                    apply(restrictions{.oom_score_adj = 5000});
                  } catch (const error& refused) {
                    return std::string(refused.what()).find("oom_score_adj to 5000") != std::string::npos ? 7
                                                                                                          : 0;
                  }
                  return 0;
                }),
      7);
}

constexpr system_calls kinds[] = {system_calls::no_exec, system_calls::no_network,
                                  system_calls::no_exec_no_network};

// The errno of a call, 0 where it works.
int exec_nothing() {
  char* const none[] = {nullptr};
  ::execve("/nonexistent/program", none, none);
  return errno;
}
int make_socket(int family) {
  const unique_fd made(::socket(family, SOCK_STREAM, 0));
  return made ? 0 : errno;
}

TEST(restrictions, programs_are_not_started) {
  for (const auto kind : kinds) {
    const int expected = kind == system_calls::no_network ? ENOENT : EPERM;
    EXPECT_EQ(status_of({.calls = kind}, &exec_nothing), expected) << static_cast<int>(kind);
  }
}

TEST(restrictions, sockets_of_the_network_are_not_made) {
  for (const auto kind : kinds) {
    const int expected = kind == system_calls::no_exec ? 0 : EACCES;
    EXPECT_EQ(status_of({.calls = kind}, [] { return make_socket(AF_INET); }), expected)
        << static_cast<int>(kind);
    EXPECT_EQ(status_of({.calls = kind}, [] { return make_socket(AF_UNIX); }), 0) << static_cast<int>(kind);
  }
}

TEST(restrictions, ways_around_them_are_closed) {
  for (const auto kind : kinds) {
    EXPECT_EQ(status_of({.calls = kind},
                        [] {
                          char parameters[128] = {};
                          return ::syscall(SYS_io_uring_setup, 1, parameters) < 0 ? errno : 0;
                        }),
              EPERM);
    EXPECT_EQ(status_of({.calls = kind}, [] { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); }), 1);
  }
}

}  // namespace
}  // namespace weft::process
