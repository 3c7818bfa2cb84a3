#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include <weft/fiber/run.hpp>
#include <weft/process/child.hpp>
#include <weft/process/self.hpp>
#include <weft/process/socket.hpp>

#include "workers/test_program.hpp"

// How programs with workers start and end, seen from outside: each test runs this program again, in
// a part of its own (see play_part), and reads what that prints.

namespace {

using namespace std::chrono_literals;
using weft::process::child;
using weft::process::exit_status;
using weft::workers::client;
using weft_test::is_gone;

class started_program {
 public:
  explicit started_program(const std::string& part, std::vector<std::string> environment = {})
      : output_(weft::process::make_pipe()) {
    environment.push_back("WEFT_TEST_PART=" + part);
    process_ = child::spawn({.program = weft::process::own_program,
                             .arguments = {"weft-test-program-" + part},
                             .environment = std::move(environment),
                             .descriptors = {{output_.writer.get(), 9}}});
    output_.writer.reset();
  }

  /// The next line; empty at the end. Parts write whole lines.
  std::string line() {
    std::string text;
    for (char one = 0; ::read(output_.reader.get(), &one, 1) == 1 && one != '\n';) text += one;
    return text;
  }
  child& process() { return process_; }

 private:
  weft::process::pipe_ends output_;
  child process_;
};

void say(const std::string& text) {
  const std::string line = text + "\n";
  (void)!::write(9, line.data(), line.size());
}

// --- the parts ---

void print_pids(client& pool, int count) {
  std::vector<weft::workers::checkout> held;
  for (int i = 0; i < count; ++i) {
    held.push_back(pool.checkout());
    say(std::to_string(held.back().call<std::int64_t>("pid")));
  }
  held.back().call("spin");
}

// Two workers: one idle inside a checkout, the other busy for ever.
int play_busy(weft::workers::start_mode start) {
  client pool({.min_workers = 2, .max_workers = 2, .timeout = std::nullopt, .start = start});
  return weft::run([&] { print_pids(pool, 2); });
}

int play_call(weft::workers::start_mode start) {
  client pool({.min_workers = 1, .start = start});
  return weft::run([&] {
    try {
      say(std::to_string(pool.call<std::int64_t>("sum", 40, 2)));
    } catch (const weft::error& failed) {
      say(std::string(to_string(failed.code())) + " " + failed.what());
    }
  });
}

int play_part(const std::string& part) {
  using weft::workers::start_mode;
  if (part == "busy-fork") return play_busy(start_mode::fork);
  if (part == "busy-exec") return play_busy(start_mode::exec);
  if (part == "call-fork") return play_call(start_mode::fork);
  if (part == "call-exec") return play_call(start_mode::exec);
  return play_call(start_mode::automatic);
}

// A thread from before main, as a library may have it; it ends with the process.
struct early_thread {
  early_thread() {
    if (std::getenv("WEFT_TEST_EARLY_THREAD") == nullptr) return;
    std::thread([] {
      while (true) ::pause();
    }).detach();
  }
} const early;

// --- the tests ---

class parent_killed : public testing::TestWithParam<const char*> {};

TEST_P(parent_killed, every_worker_is_gone_soon) {
  started_program program(GetParam());
  const auto idle = static_cast<pid_t>(std::stol(program.line()));
  const auto busy = static_cast<pid_t>(std::stol(program.line()));
  program.process().kill(SIGKILL);
  EXPECT_EQ(program.process().wait(), exit_status::signaled(SIGKILL));
  const auto start = weft::steady_clock::now();
  EXPECT_TRUE(is_gone(idle));
  EXPECT_TRUE(is_gone(busy));
  EXPECT_LT(weft::steady_clock::now() - start, 10s);
}

INSTANTIATE_TEST_SUITE_P(, parent_killed, testing::Values("busy-fork", "busy-exec"),
                         [](const auto& one) { return std::string(one.param).substr(5); });

TEST(start, by_fork_answers) { EXPECT_EQ(started_program("call-fork").line(), "42"); }
TEST(start, by_exec_answers) { EXPECT_EQ(started_program("call-exec").line(), "42"); }

TEST(start, with_a_thread_from_before_main_is_by_exec) {
  EXPECT_EQ(started_program("call", {"WEFT_TEST_EARLY_THREAD=1"}).line(), "42");
}

TEST(start, by_fork_with_a_thread_from_before_main_is_refused) {
  const auto said = started_program("call-fork", {"WEFT_TEST_EARLY_THREAD=1"}).line();
  EXPECT_EQ(said.rfind("misuse", 0), 0U) << said;
  EXPECT_NE(said.find("threads when weft::main was reached"), std::string::npos) << said;
}

TEST(start, of_a_program_without_weft_main_is_an_error_that_says_so) {
  const auto said = started_program("call", {"WEFT_TEST_NO_MAIN=1"}).line();
  EXPECT_NE(said.find("weft::main"), std::string::npos) << said;
}

TEST(start, a_program_that_ends_leaves_no_worker) {
  started_program program("call-fork");
  EXPECT_EQ(program.line(), "42");
  EXPECT_EQ(program.line(), "");
  EXPECT_EQ(program.process().wait(), exit_status::exited(0));
}

}  // namespace

int main(int argc, char** argv) {
  const char* const part = std::getenv("WEFT_TEST_PART");
  // As a program that knows nothing of weft::main: started as a worker it does something else.
  if (std::getenv("WEFT_TEST_NO_MAIN") != nullptr) {
    return std::getenv("WEFT_WORKER_FD") == nullptr ? play_part(part) : 0;
  }
  if (part == nullptr) return weft_test::run_tests(argc, argv);
  return weft::main(argc, argv, &weft_test::offer_functions, [&] { return play_part(part); });
}
