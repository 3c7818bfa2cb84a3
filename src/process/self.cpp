#include <weft/process/self.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <weft/core/unique_fd.hpp>

namespace weft::inline v1::process {

namespace {

std::vector<std::string> names_in(const char* folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder), &::closedir);
  if (open == nullptr) return names;
  while (const dirent* const entry = ::readdir(open.get())) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  return names;
}

void close_range_of(unsigned from, unsigned to) noexcept {
  if (from > to) return;
  if (::syscall(SYS_close_range, from, to, 0) == 0) return;
  // An old kernel: one at a time.
  const long limit = ::sysconf(_SC_OPEN_MAX);
  for (unsigned fd = from; fd <= to && static_cast<long>(fd) < limit; ++fd) ::close(static_cast<int>(fd));
}

// The thread sanitizer has a thread of its own, from the first fork or the first other thread on. It
// holds no lock that a child could wait for.
constexpr bool thread_sanitized =
#if defined(__SANITIZE_THREAD__)
    true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
    true;
#else
    false;
#endif
#else
    false;
#endif

}  // namespace

std::vector<std::string> thread_names() {
  std::vector<std::string> names;
  for (const auto& id : names_in("/proc/self/task")) {
    std::ifstream file("/proc/self/task/" + id + "/comm");
    std::string name;
    if (std::getline(file, name)) names.push_back(std::move(name));
  }
  if (names.empty()) names.emplace_back("main");
  if (thread_sanitized && names.size() > 1) names.erase(names.begin() + 1);
  return names;
}

std::size_t thread_count() { return thread_names().size(); }

std::uint64_t resident_bytes(pid_t pid) noexcept {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/%d/statm", static_cast<int>(pid));
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path, "re"), &std::fclose);
  unsigned long pages = 0;
  if (file == nullptr || std::fscanf(file.get(), "%*u %lu", &pages) != 1) return 0;
  return std::uint64_t{pages} * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void close_descriptors_except(std::vector<int> keep) noexcept {
  std::sort(keep.begin(), keep.end());
  unsigned from = 3;
  for (const int fd : keep) {
    if (fd < static_cast<int>(from)) continue;
    close_range_of(from, static_cast<unsigned>(fd) - 1);
    from = static_cast<unsigned>(fd) + 1;
  }
  close_range_of(from, ~0U);
}

std::vector<int> open_descriptors() {
  std::vector<int> numbers;
  for (const auto& name : names_in("/proc/self/fd")) {
    const int fd = std::atoi(name.c_str());
    // The listing has the descriptor of the listing.
    if (::fcntl(fd, F_GETFD) >= 0) numbers.push_back(fd);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

void reset_signals() noexcept {
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &by_default, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void die_with_parent(pid_t parent) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // It may have ended before the line above.
  if (::getppid() != parent) ::_exit(1);
}

bool die_with_pipe(int reader, int& watch) noexcept {
  // Owner and signal belong to the open file, which processes share; so this one opens its own.
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", reader);
  watch = ::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (watch < 0) return false;
  const bool armed = ::fcntl(watch, F_SETOWN, ::getpid()) == 0 && ::fcntl(watch, F_SETSIG, SIGKILL) == 0 &&
                     ::fcntl(watch, F_SETFL, O_NONBLOCK | O_ASYNC) == 0;
  // The last writer may have gone before.
  pollfd now{watch, POLLIN, 0};
  if (::poll(&now, 1, 0) > 0) ::_exit(1);
  return armed;
}

void end_before_parent_without_memory() noexcept {
  constexpr int more = 200;
  constexpr int most = 1000;
  const unique_fd file(::open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC));
  char text[16] = {};
  if (!file || ::read(file.get(), text, sizeof text - 1) <= 0) return;
  // Raising it needs no privilege.
  const int count = std::snprintf(text, sizeof text, "%d", std::min(std::atoi(text) + more, most));
  [[maybe_unused]] const auto put = ::write(file.get(), text, static_cast<std::size_t>(count));
}

std::vector<std::string> own_arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string one; std::getline(file, one, '\0');) arguments.push_back(std::move(one));
  return arguments;
}

}  // namespace weft::inline v1::process
