#include "workers/test_program.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <weft/context/cancellation.hpp>
#include <weft/core/failure.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/log/logger.hpp>
#include <weft/process/self.hpp>
#include <weft/trace/propagation.hpp>
#include <weft/workers/call_stream.hpp>

namespace weft_test {

namespace {

using namespace std::chrono_literals;

// Keeps the compiler from turning the recursion into a loop.
volatile int depth_limit = 1'000'000'000;
int recurse(int depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  return depth < depth_limit ? recurse(depth + 1) + frame[0] : 0;
}

[[noreturn]] void spin() {
  // The thread sanitizer lets signals through in calls that it knows.
  for (;;) static_cast<void>(std::chrono::steady_clock::now());
}

std::int64_t die_by(int signal) {
  std::signal(signal, SIG_DFL);  // sanitizers handle some
  ::kill(::getpid(), signal);
  spin();
}

// All that a log has.
std::string log_all(std::string tag) {
  const weft::log::logger log;
  log.add_log(25, "custom", {{"detail", weft::log::json_text{R"([1,"two"])"}}});
  { const auto timed = log.timer("worker timer"); }
  log.data({{"shared", "worker"}, {"tag", tag}});
  // Runs on when the call has ended: by what was started in it.
  static std::optional<weft::log::timer> running;
  running.emplace("running");
  return tag;
}

// What each descriptor is, e.g. "socket", "pipe", "anon_inode"; standard streams left out.
std::string describe_descriptors() {
  std::vector<std::string> kinds;
  for (const int fd : weft::process::open_descriptors()) {
    if (fd <= 2) continue;
    std::error_code failed;
    std::string target =
        std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), failed).string();
    if (failed) continue;
    if (target.rfind("anon_inode:", 0) != 0) target = target.substr(0, target.find(':'));
    kinds.push_back(std::move(target));
  }
  std::sort(kinds.begin(), kinds.end());
  std::string list;
  for (const auto& kind : kinds) list += (list.empty() ? "" : " ") + kind;
  return list;
}

std::string blocked_signals() {
  sigset_t blocked;
  ::sigprocmask(SIG_SETMASK, nullptr, &blocked);
  std::string list;
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    if (::sigismember(&blocked, signal) == 1) list += std::to_string(signal) + " ";
  }
  return list;
}

}  // namespace

std::int64_t resident_kib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word && word != "VmRSS:") {
  }
  std::int64_t kib = 0;
  status >> kib;
  return kib;
}

namespace {

void offer_failures(weft::workers::interfaces& offered) {
  offered.add("die_by", &die_by);
  offered.add("exit_process", [](int status) { ::_exit(status); });
  offered.add("abort", [] { die_by(SIGABRT); });
  offered.add("complain_and_abort", [](std::string complaint) {
    std::fprintf(stderr, "first line\n%s\n", complaint.c_str());
    die_by(SIGABRT);
  });
  offered.add("weft_exit", [](int status) { weft::exit(status); });
  offered.add("overflow", [] { return recurse(0); });
  offered.add("spin", [] { spin(); });
  offered.add("spin_deaf", [] {
    std::signal(SIGTERM, SIG_IGN);
    spin();
  });
  offered.add("close_connection", [] {
    for (const int fd : weft::process::open_descriptors()) {
      if (fd > 2) ::close(fd);
    }
    spin();
  });
  offered.add("talk_nonsense", [] {
    for (const int fd : weft::process::open_descriptors()) {
      if (fd > 2) (void)!::send(fd, "\xff\xff\xff\xff no frame at all", 20, MSG_NOSIGNAL);
    }
    spin();
  });
  offered.add("throw_cheese", [](std::string which) { throw out_of_cheese("no " + which); });
  offered.add("throw_nested", [] {
    try {
      throw out_of_cheese("no brie");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("no dinner"));
    }
  });
  offered.add("throw_int", [] { throw 42; });
  offered.add("throw_text", [] { throw "forty-two"; });
}

}  // namespace

void offer_functions(weft::services& provided, weft::workers::interfaces& offered) {
  weft::register_error<out_of_cheese>("test.out_of_cheese");
  provided.add<counter>([] { return counter(); });
  offered.add("count", [](counter& service) { return service.next(); });
  offered.add("echo", [](std::string text) { return text; });
  offered.add("sum", [](std::int64_t one, std::int64_t other) { return one + other; });
  offered.add("pid", [] { return std::int64_t{::getpid()}; });
  offered.add("nothing", [] {});
  offered.add("sleep_ms", [](int time) { weft::sleep_for(std::chrono::milliseconds(time)); });
  offered.add("block_ms", [](int time) { std::this_thread::sleep_for(std::chrono::milliseconds(time)); });
  // Blocks its process until another one has the other end.
  offered.add("meet_at", [](std::string fifo, bool writes) {
    const weft::unique_fd end(::open(fifo.c_str(), (writes ? O_WRONLY : O_RDONLY) | O_CLOEXEC));
    if (!end) throw std::runtime_error("cannot open " + fifo);
  });
  offered.add("remaining_ms", []() -> std::int64_t {
    const auto left = weft::remaining();
    return left ? std::chrono::duration_cast<std::chrono::milliseconds>(*left).count() : -1;
  });
  offered.add("request", [] { return request.value_or("none"); });
  offered.add("trace_headers", [] {
    std::string text;
    for (const auto& one : weft::trace::to_headers()) text += one.value + " ";
    return text;
  });
  offered.add("secret", [] { return secret.value_or("none"); });
  offered.add("say", [](std::string text) { weft::log::info(text, {{"from", "worker"}}); });
  offered.add("log_all", &log_all);
  offered.add("log_and_fail", [] {
    weft::log::warn("about to fail");
    throw std::runtime_error("boom");
  });
  offered.add("zeros", [](std::size_t count) { return std::string(count, '0'); });
  offered.add("descriptors", &describe_descriptors);
  offered.add("blocked_signals", &blocked_signals);
  // Into a standard error whose reader takes what comes.
  offered.add("write_errors", [](int count) {
    int written = 0;
    for (const std::string line(1024, ' '); written < count; written += 1024) {
      if (::write(2, line.data(), line.size()) != 1024) break;
    }
    return written;
  });
  // Streams.
  offered.add("count_bytes", [](weft::workers::caller& client) {
    std::uint64_t count = 0;
    while (const auto piece = client.read()) count += piece->size();
    return count;
  });
  offered.add("pieces_back", [](weft::workers::caller& client) {
    int count = 0;
    for (; const auto piece = client.read(); ++count) client.write(*piece);
    client.end_writing();
    return count;
  });
  offered.add("numbers", [](weft::workers::caller& client, int up_to) {
    for (int i = 0; i < up_to; ++i) client.put(i);
  });
  offered.add("write_bytes", [](weft::workers::caller& client, std::uint64_t count) {
    const std::string piece(std::size_t{1} << 16U, 'x');
    for (std::uint64_t sent = 0; sent < count; sent += piece.size()) client.write(piece);
  });
  offered.add("steps", [](weft::workers::caller& client, int count) {
    for (int i = 1; i <= count; ++i) client.say_progress(1.0 * i / count, "step " + std::to_string(i));
    return count;
  });
  offered.add("resident_kib", &resident_kib);
  offered.add("print", [](std::string text) { std::fputs(text.c_str(), stdout); });
  offer_failures(offered);
}

int run_tests(int argc, char** argv, const weft::main_options& options) {
  return weft::main(
      argc, argv, &offer_functions,
      [&] {
        testing::InitGoogleTest(&argc, argv);
        return RUN_ALL_TESTS();
      },
      options);
}

bool is_gone(pid_t pid) {
  const weft::unique_fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) return true;
  pollfd ended{pidfd.get(), POLLIN, 0};
  return ::poll(&ended, 1, 60'000) == 1;
}

void await_stopped(pid_t pid) {
  for (std::string state; state != "T"; ::sched_yield()) {
    std::string number;
    std::string name;
    std::ifstream("/proc/" + std::to_string(pid) + "/stat") >> number >> name >> state;
  }
}

}  // namespace weft_test
