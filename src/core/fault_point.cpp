#include <weft/core/fault_point.hpp>

#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include <weft/core/error.hpp>

namespace weft::inline v1 {
namespace detail {

constinit std::atomic<std::uint32_t> armed_fault_points{0};

namespace {

/// The hooks of the process. A pass holds its hook without the lock: it may wait.
class fault_table {
 public:
  static fault_table& instance() {
    static fault_table* const all = new fault_table;  // lives for ever: threads may pass points at the end
    return *all;
  }

  void arm(const std::string& name, fault_hook hook) {
    auto held = std::make_shared<const fault_hook>(std::move(hook));
    const std::lock_guard lock(mutex_);
    if (!hooks_.emplace(name, std::move(held)).second)
      throw error(errc::already_exists, "arm the fault point \"" + name + "\": it is armed");
    armed_fault_points.fetch_add(1, std::memory_order_relaxed);
  }

  void disarm(const std::string& name) noexcept {
    std::shared_ptr<const fault_hook> ended;  // without the lock
    const std::lock_guard lock(mutex_);
    const auto at = hooks_.find(name);
    if (at == hooks_.end()) return;
    ended = std::move(at->second);
    hooks_.erase(at);
    armed_fault_points.fetch_sub(1, std::memory_order_relaxed);
  }

  int pass(const char* name) {
    std::shared_ptr<const fault_hook> hook;
    {
      const std::lock_guard lock(mutex_);
      const auto at = hooks_.find(name);
      if (at == hooks_.end()) return 0;
      hook = at->second;
    }
    return (*hook)();
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const fault_hook>, std::less<>> hooks_;  // guarded by mutex_
};

}  // namespace

void arm_fault_point(const std::string& name, fault_hook hook) {
  fault_table::instance().arm(name, std::move(hook));
}
void disarm_fault_point(const std::string& name) noexcept { fault_table::instance().disarm(name); }

int pass_fault_point(const char* name) {
  const int failed = fault_table::instance().pass(name);
  if (failed != 0) errno = failed;
  return failed;
}

void pass_fault_point_or_throw(const char* name) {
  if (const int failed = fault_table::instance().pass(name); failed != 0) throw system_error(name, failed);
}

}  // namespace detail

std::span<const known_fault_point> known_fault_points() noexcept {
  // By name; docs/testing.md has the same list, and the test `fault_points` compares both with the sources.
  static constexpr known_fault_point all[]{
      {"weft.fiber.stack.madvise", "guarding stacks, or giving their memory back, by madvise", true},
      {"weft.fiber.stack.mmap", "address space for stacks", true},
      {"weft.fiber.stack.mprotect", "guarding stacks by mprotect", true},
      {"weft.files.open", "opening a file", false},
      {"weft.files.read", "reading a piece of a file", false},
      {"weft.files.sync", "fsync of a file", false},
      {"weft.files.write", "writing a piece of a file", false},
      {"weft.jobs.beat", "the heartbeat of a worker of jobs reaches the store", false},
      {"weft.jobs.claim", "a worker of jobs claims", false},
      {"weft.jobs.finish", "the end of an attempt is stored", false},
      {"weft.jobs.push", "jobs are stored", false},
      {"weft.jobs.pushed", "jobs were stored, and the pusher does not know it yet", false},
      {"weft.net.accept", "a listener takes a connection", false},
      {"weft.net.connect", "a socket connects to an address", true},
      {"weft.net.read", "a stream reads from its socket", false},
      {"weft.net.write", "a stream writes to its socket", false},
      {"weft.process.spawn", "a child process is made", true},
      {"weft.workers.call", "a call was begun, and no worker is taken yet", false},
      {"weft.workers.start", "a pool starts a worker process, or connects to one", false},
  };
  return all;
}

}  // namespace weft::inline v1
