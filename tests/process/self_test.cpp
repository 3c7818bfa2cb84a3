#include <weft/process/self.hpp>

#include <csignal>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include <weft/process/child.hpp>
#include <weft/process/limits.hpp>
#include <weft/process/socket.hpp>

namespace {

using namespace std::chrono_literals;
using weft::process::child;
using weft::process::exit_status;

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(self, the_title_shows_in_the_process_list) {
  const auto status = child::fork([] {
                        weft::process::set_title("weft:test");
                        const bool both = file_text("/proc/self/comm") == "weft:test\n" &&
                                          file_text("/proc/self/cmdline").rfind("weft:test", 0) == 0;
                        return both ? 0 : 1;
                      }).wait();
  EXPECT_EQ(status, exit_status::exited(0));
}

TEST(self, descriptors_but_the_kept_ones_are_closed) {
  auto ends = weft::process::make_pipe();
  const auto status = child::fork([&] {
                        weft::process::close_descriptors_except({ends.writer.get()});
                        std::vector<int> open;
                        for (const int fd : weft::process::open_descriptors()) {
                          if (fd > 2) open.push_back(fd);
                        }
                        return open == std::vector<int>{ends.writer.get()} ? 0 : 1;
                      }).wait();
  EXPECT_EQ(status, exit_status::exited(0));
}

TEST(self, signals_are_reset) {
  std::signal(SIGUSR1, SIG_IGN);
  const auto status = child::fork([]() -> int {
                        weft::process::reset_signals();
                        ::raise(SIGUSR1);
                        return 0;
                      }).wait();
  std::signal(SIGUSR1, SIG_DFL);
  EXPECT_EQ(status, exit_status::signaled(SIGUSR1));
}

// A grandchild reports its end by closing a pipe.
TEST(self, the_end_of_the_parent_is_the_end_of_a_child_that_asked_for_it) {
  auto alive = weft::process::make_pipe();
  auto parent = child::fork([&]() -> int {
    const pid_t self = ::getpid();
    auto grandchild = child::fork([&]() -> int {
      weft::process::die_with_parent(self);
      alive.reader.reset();
      (void)!::write(alive.writer.get(), "x", 1);
      while (true) ::pause();
    });
    alive.writer.reset();
    grandchild.wait();
    return 0;
  });
  alive.writer.reset();
  char byte = 0;
  ASSERT_EQ(::read(alive.reader.get(), &byte, 1), 1);
  parent.kill(SIGKILL);
  EXPECT_EQ(::read(alive.reader.get(), &byte, 1), 0);
}

TEST(self, a_busy_or_stopped_process_dies_with_its_pipe) {
  auto alive = weft::process::make_pipe();
  auto ready = weft::process::make_pipe();
  auto one = child::fork([&]() -> int {
    alive.writer.reset();
    int watch = -1;
    if (!weft::process::die_with_pipe(alive.reader.get(), watch)) return 1;
    ready.writer.reset();
    ::raise(SIGSTOP);
    while (true) {
    }
  });
  ready.writer.reset();
  char byte = 0;
  ASSERT_EQ(::read(ready.reader.get(), &byte, 1), 0);
  EXPECT_FALSE(one.wait_for(5ms));
  alive.writer.reset();
  EXPECT_EQ(one.wait(), exit_status::signaled(SIGKILL));
}

TEST(self, a_pipe_that_ended_before_ends_it_at_once) {
  auto alive = weft::process::make_pipe();
  alive.writer.reset();
  const auto status = child::fork([&]() -> int {
                        int watch = -1;
                        weft::process::die_with_pipe(alive.reader.get(), watch);
                        return 0;
                      }).wait();
  EXPECT_EQ(status, exit_status::exited(1));
}

TEST(self, threads_are_counted_and_named) {
  EXPECT_EQ(weft::process::thread_count(), 1U);
  auto parked = weft::process::make_pipe();
  std::thread other([&] {
    char byte;
    (void)!::read(parked.reader.get(), &byte, 1);
  });
  EXPECT_EQ(weft::process::thread_names().size(), 2U);
  parked.writer.reset();
  other.join();
}

TEST(self, the_build_id_is_that_of_every_process_of_the_program) {
  const std::string here = weft::process::build_id();
  EXPECT_GE(here.size(), 16U);
  const auto status = child::fork([&] { return weft::process::build_id() == here ? 0 : 1; }).wait();
  EXPECT_EQ(status, exit_status::exited(0));
}

TEST(limits, memory_is_bounded) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers reserve address space of their own";
#endif
  const auto status = child::fork([] {
                        weft::process::apply({.memory_bytes = 256U << 20U});
                        try {
                          const std::string big(1U << 30U, 'x');
                          return big.size() > 1 ? 1 : 2;
                        } catch (const std::bad_alloc&) {
                          return 0;
                        }
                      }).wait();
  EXPECT_EQ(status, exit_status::exited(0));
}

}  // namespace
