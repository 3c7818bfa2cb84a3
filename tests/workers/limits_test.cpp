#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <new>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weft/fiber/run.hpp>

#include "workers/listening.hpp"

// Limits of a worker, in those of the own program and in those of a server.

namespace {

using namespace std::chrono_literals;
using weft::process::limits;
using weft::process::restrictions;
using weft::process::system_calls;
using weft::workers::client;
using weft::workers::server;

// --- what workers offer ---

bool can_allocate(std::uint64_t count) {
  const std::unique_ptr<char[]> made(new (std::nothrow) char[count]);
  const void* volatile seen = made.get();  // or the compiler does without the memory
  return seen != nullptr;
}

int open_until_refused() {
  std::vector<weft::unique_fd> held;
  while (true) {
    held.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!held.back()) return static_cast<int>(held.size()) - 1;
  }
}

int errno_of_write(std::uint64_t count) {
  char name[] = "/tmp/weft-limits-XXXXXX";
  const weft::unique_fd file(::mkstemp(name));
  ::unlink(name);
  const std::string data(count, 'x');
  const ssize_t put = ::write(file.get(), data.data(), data.size());
  if (put < 0) return errno;
  return static_cast<std::size_t>(put) < count ? EFBIG : 0;
}

std::int64_t core_limit() {
  rlimit seen{};
  ::getrlimit(RLIMIT_CORE, &seen);
  return static_cast<std::int64_t>(seen.rlim_cur);
}

int oom_score_adj() {
  int value = 0;
  std::ifstream("/proc/self/oom_score_adj") >> value;
  return value;
}

int errno_of_exec() {
  char* const none[] = {nullptr};
  ::execve("/nonexistent/program", none, none);
  return errno;
}

int errno_of_socket() {
  const weft::unique_fd made(::socket(AF_INET, SOCK_STREAM, 0));
  return made ? 0 : errno;
}

void offer(weft::workers::interfaces& offered) {
  offered.add("can_allocate", &can_allocate);
  offered.add("open_until_refused", &open_until_refused);
  offered.add("errno_of_write", &errno_of_write);
  offered.add("core_limit", &core_limit);
  offered.add("niceness", [] { return ::getpriority(PRIO_PROCESS, 0); });
  offered.add("oom_score_adj", &oom_score_adj);
  offered.add("no_new_privileges", [] { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); });
  offered.add("errno_of_exec", &errno_of_exec);
  offered.add("errno_of_socket", &errno_of_socket);
}

// --- the tests ---

enum class whose { own_program, server };

class limited : public weft_test::listening, public testing::WithParamInterface<whose> {
 protected:
  /// A pool of workers with these limits.
  client pool(limits of, restrictions may = {}) {
    if (GetParam() == whose::own_program) {
      return client({.min_workers = 0, .max_workers = 1, .limits = of, .restrictions = may});
    }
    auto wanted = options();
    offer(wanted.interface);
    wanted.limits = of;
    wanted.restrictions = may;
    running_ = server::fork(std::move(wanted));
    return client_with(1);
  }

  template <typename Result, typename... Args>
  static Result ask(client& from, std::string_view name, const Args&... args) {
    Result answer{};
    weft::run([&] { answer = from.call<Result>(name, args...); });
    return answer;
  }

 private:
  weft::process::child running_;
};

INSTANTIATE_TEST_SUITE_P(, limited, testing::Values(whose::own_program, whose::server), [](const auto& one) {
  return std::string(one.param == whose::server ? "of_a_server" : "of_the_own_program");
});

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_P(limited, memory) {
  constexpr std::uint64_t much = std::uint64_t{1} << 30U;
  auto narrow = pool({.memory_bytes = much});
  EXPECT_TRUE(ask<bool>(narrow, "can_allocate", much / 4));
  EXPECT_FALSE(ask<bool>(narrow, "can_allocate", much));
}
#endif

TEST_P(limited, cpu_time) {
  auto narrow = pool({.cpu_time = 1s});
  weft::run([&] {
    try {
      narrow.call("spin");
      ADD_FAILURE() << "no error";
    } catch (const weft::workers::worker_died& died) {
      // The hard limit is the same, and its signal may come first.
      EXPECT_TRUE(died.status().value == SIGXCPU || died.status().value == SIGKILL) << died.what();
    }
  });
}

TEST_P(limited, open_files) {
  auto narrow = pool({.open_files = 40});
  const int opened = ask<int>(narrow, "open_until_refused");
  EXPECT_GT(opened, 0);
  EXPECT_LT(opened, 40);
}

TEST_P(limited, file_size) {
  auto narrow = pool({.file_bytes = 4096});
  EXPECT_EQ(ask<int>(narrow, "errno_of_write", std::uint64_t{4096}), 0);
  EXPECT_EQ(ask<int>(narrow, "errno_of_write", std::uint64_t{4097}), EFBIG);
}

TEST_P(limited, core_size) {
  auto narrow = pool({.core_bytes = 0});
  EXPECT_EQ(ask<std::int64_t>(narrow, "core_limit"), 0);
}

TEST_P(limited, niceness) {
  auto narrow = pool({}, {.niceness = 7});
  EXPECT_EQ(ask<int>(narrow, "niceness"), 7);
}

TEST_P(limited, oom_score) {
  auto narrow = pool({}, {.oom_score_adj = 345});
  EXPECT_EQ(ask<int>(narrow, "oom_score_adj"), 345);
}

TEST_P(limited, no_new_privileges) {
  auto narrow = pool({}, {.no_new_privileges = true});
  EXPECT_EQ(ask<int>(narrow, "no_new_privileges"), 1);
}

TEST_P(limited, system_calls_without_programs) {
  auto narrow = pool({}, {.calls = system_calls::no_exec});
  EXPECT_EQ(ask<int>(narrow, "errno_of_exec"), EPERM);
  EXPECT_EQ(ask<int>(narrow, "errno_of_socket"), 0);
}

TEST_P(limited, system_calls_without_network) {
  auto narrow = pool({}, {.calls = system_calls::no_network});
  EXPECT_EQ(ask<int>(narrow, "errno_of_exec"), ENOENT);
  EXPECT_EQ(ask<int>(narrow, "errno_of_socket"), EACCES);
}

TEST_P(limited, nothing_is_limited_by_default) {
  auto wide = pool({});
  EXPECT_EQ(ask<int>(wide, "niceness"), ::getpriority(PRIO_PROCESS, 0));
  EXPECT_EQ(ask<int>(wide, "no_new_privileges"), 0);
  EXPECT_EQ(ask<int>(wide, "errno_of_exec"), ENOENT);
  EXPECT_EQ(ask<int>(wide, "errno_of_socket"), 0);
}

TEST_P(limited, what_the_system_refuses_is_an_error_that_names_it) {
  auto refused = pool({}, {.oom_score_adj = 5000});
  weft::run([&] {
    try {
      refused.call("nothing");
      ADD_FAILURE() << "no error";
    } catch (const weft::workers::start_failed& failed) {
      EXPECT_NE(std::string(failed.what()).find("oom_score_adj to 5000"), std::string::npos) << failed.what();
    }
  });
}

using limited_server = weft_test::listening;

TEST_F(limited_server, tells_a_client_of_the_old_protocol_what_the_system_refuses) {
  auto wanted = options();
  wanted.restrictions.oom_score_adj = 5000;
  auto running = server::fork(std::move(wanted));
  const auto said = talk(R"(["do",{},"echo","x"])");
  EXPECT_EQ(said.rfind(R"(["er",{},"process: set oom_score_adj to 5000)", 0), 0U) << said;
}

}  // namespace

int main(int argc, char** argv) {
  const auto setup = [](weft::services& provided, weft::workers::interfaces& offered) {
    weft_test::offer_functions(provided, offered);
    offer(offered);
  };
  return weft::main(argc, argv, setup, [&] {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
  });
}
