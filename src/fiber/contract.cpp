#include "fiber/contract.hpp"

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <optional>

namespace weft::inline v1::detail {
namespace {

/// The fibers that ended as owners of a lock.
class ended_owners {
 public:
  static ended_owners& instance() noexcept {
    // Never destroyed: locks are used until the end. Without memory for it there is nobody to tell.
    static ended_owners* const one = new ended_owners;  // NOLINT(bugprone-unhandled-exception-at-new)
    return *one;
  }

  void add(const task_block& fiber) {
    const std::lock_guard lock(mutex_);
    if (kept_.size() == kept_max) kept_.pop_front();
    kept_.push_back({fiber.id(), describe(fiber)});
  }

  std::optional<std::string> find(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    for (const ended& one : kept_) {
      if (one.id == id) return one.text;
    }
    return std::nullopt;
  }

 private:
  struct ended {
    std::uint64_t id;
    std::string text;
  };
  static constexpr std::size_t kept_max = 64;
  std::mutex mutex_;
  std::deque<ended> kept_;  // guarded by mutex_
};

/// A fiber that has not ended has a living block: it notes itself before it goes.
std::string describe_holder(const task_block* fiber, std::uint64_t id) {
  if (fiber == nullptr) return "thread " + std::to_string(id);
  if (const auto ended = ended_owners::instance().find(id)) return *ended + ", which has ended,";
  return fiber->id() == id ? describe(*fiber) : "fiber " + std::to_string(id);
}

}  // namespace

std::string describe(const task_block& task) {
  std::string text = (task.is_fiber() ? "fiber " : "thread ") + std::to_string(task.id());
  if (task.is_fiber() && !task.name().empty()) text.append(" \"").append(task.name()).append("\"");
  return text;
}

void contract_broken(const char* call, const std::string& how) noexcept {
  std::fprintf(stderr, "weft: %s: %s\n", call, how.c_str());
  std::abort();
}

void locked_again(const char* call, const char* held) noexcept {
  const std::string me = describe(task_block::current());
  contract_broken(call,
                  me + " waits for " + held + " that " + me +
                      " holds already, so it would wait for ever; lock it once, or use a recursive_mutex");
}

void unlocked_by_stranger(const char* call, const char* held, const task_block* holder,
                          std::uint64_t holder_id) noexcept {
  const std::string me = describe(task_block::current());
  if (holder_id == 0) contract_broken(call, me + " unlocks " + held + " that nobody holds");
  contract_broken(call, me + " unlocks " + held + " that " + describe_holder(holder, holder_id) +
                            " holds; only the task that locked it may unlock it");
}

void note_ended_with_locks(const task_block& fiber) noexcept {
  try {
    ended_owners::instance().add(fiber);
  } catch (const std::bad_alloc&) {  // then the message has the id alone
  }
}

}  // namespace weft::inline v1::detail
