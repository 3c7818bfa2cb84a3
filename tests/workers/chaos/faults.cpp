#include "workers/chaos/faults.hpp"

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/codec/bytes.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/process/self.hpp>
#include <weft/wire/frame.hpp>

#include "workers/test_program.hpp"

namespace weft_test {

namespace {

// One of the locks, for the time of a call.
class slot {
 public:
  slot(const std::string& folder, int slots) {
    // One looks at a time; so of as many as there may be one stays free while it looks.
    const weft::unique_fd gate(::open((folder + "/gate").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    lock(gate.get(), F_SETLKW);
    for (int i = 0; i < slots; ++i) {
      if (take(folder + "/" + std::to_string(i))) return;
    }
    throw std::logic_error("more than " + std::to_string(slots) + " workers are at work");
  }
  slot(const slot&) = delete;
  slot& operator=(const slot&) = delete;
  ~slot() { lead_to("/dev/null"); }

 private:
  // As descriptor 0, since a function may close all others.
  static bool take(const std::string& path) {
    lead_to(path.c_str());
    return lock(STDIN_FILENO, F_SETLK);
  }
  static bool lock(int fd, int how) {
    struct flock wanted {};
    wanted.l_type = F_WRLCK;
    return ::fcntl(fd, how, &wanted) == 0;
  }
  static void lead_to(const char* path) {
    ::close(STDIN_FILENO);
    if (::open(path, O_RDWR | O_CREAT, 0600) != STDIN_FILENO) throw std::logic_error("descriptor 0 is gone");
  }
};

[[noreturn]] void spin() {
  // The thread sanitizer lets signals through in calls that it knows.
  for (;;) static_cast<void>(std::chrono::steady_clock::now());
}

// Keeps the compiler from turning the recursion into a loop.
volatile int depth_limit = 1'000'000'000;
int recurse(int depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  return depth < depth_limit ? recurse(depth + 1) + frame[0] : 0;
}

bool is_socket(int fd) {
  struct stat what {};
  return ::fstat(fd, &what) == 0 && S_ISSOCK(what.st_mode);
}

void say_to_client(std::string_view what) {
  for (const int fd : weft::process::open_descriptors()) {
    if (fd > 2 && is_socket(fd)) (void)!::send(fd, what.data(), what.size(), MSG_NOSIGNAL);
  }
}

void say_half_an_answer() {
  weft::bytes whole;
  weft::wire::append_frame(whole, 67, 0, 1, weft::as_bytes(std::string(100, 'x')));
  say_to_client(weft::as_text(whole).substr(0, 60));
}

void close_all() {
  for (const int fd : weft::process::open_descriptors()) {
    if (fd > 2) ::close(fd);
  }
}

void end_badly(fault what, std::int64_t token) {
  switch (what) {
    case fault::exit:
      ::_exit(static_cast<int>(token % 100));
    case fault::weft_exit:
      weft::exit(static_cast<int>(token % 100));
    case fault::crash:
      std::signal(SIGSEGV, SIG_DFL);  // sanitizers handle it
      ::raise(SIGSEGV);
      break;
    case fault::overflow:
      recurse(0);
      break;
    case fault::half_a_frame:
      say_half_an_answer();
      ::_exit(0);
    default:
      break;
  }
}

std::int64_t act(std::string folder, int slots, int what, std::int64_t token) {
  const slot held(folder, slots);
  switch (static_cast<fault>(what)) {
    case fault::error:
      throw out_of_cheese("token " + std::to_string(token));
    case fault::kill_during:
      weft::sleep_for(std::chrono::milliseconds(token % 4));
      break;
    case fault::hang_deaf:
      std::signal(SIGTERM, SIG_IGN);
      spin();
    case fault::hang:
    case fault::cancel:
      spin();
    case fault::disconnect:
      close_all();
      spin();
    case fault::garbage:
      say_to_client("\xff\xff\xff\xff, and no frame or JSON behind it]}");
      break;
    default:
      end_badly(static_cast<fault>(what), token);
  }
  return token;
}

}  // namespace

std::string_view to_string(fault of) noexcept {
  constexpr std::array<std::string_view, fault_count> names = {
      "none",     "error",      "kill_before", "kill_during",  "kill_idle", "stop",
      "hang",     "hang_deaf",  "cancel",      "exit",         "weft_exit", "crash",
      "overflow", "disconnect", "garbage",     "half_a_frame", "several"};
  return names[static_cast<std::size_t>(of)];
}

fault choose(const fault_weights& weights, std::mt19937_64& random) {
  return static_cast<fault>(std::discrete_distribution<int>(weights.begin(), weights.end())(random));
}

void offer_faults(weft::workers::interfaces& offered) {
  offered.add("act", &act);
  offered.add("pid", [] { return std::int64_t{::getpid()}; });
}

}  // namespace weft_test
