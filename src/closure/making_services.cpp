#include "closure/making_services.hpp"

#include <algorithm>
#include <vector>

#include <weft/core/error.hpp>

namespace weft::inline v1::detail {
namespace {

/// The factory that the task runs innermost; null if it runs none. Under the lock.
making* innermost(const making_board& board, std::uint64_t task) {
  for (making* at = board.first; at != nullptr; at = at->next) {
    if (at->task == task) return at;
  }
  return nullptr;
}

/// Would waiting for `wanted` never end? Under the lock.
bool closes_circle(const making_board& board, const service_slot* wanted, std::uint64_t task) {
  while (wanted != nullptr && wanted->at == service_slot::step::in_making) {
    const std::uint64_t maker = wanted->maker->task;
    if (maker == task) return true;
    wanted = innermost(board, maker)->waits_for;
  }
  return false;
}

[[noreturn]] void throw_circle(const making* mine, const service_slot& wanted) {
  std::vector<const std::string*> path{wanted.name};
  for (; mine != nullptr; mine = mine->outer) {
    path.push_back(mine->slot->name);
    if (mine->slot == &wanted) break;
  }
  std::string text;
  for (auto name = path.rbegin(); name != path.rend(); ++name) text += (text.empty() ? "" : " -> ") + **name;
  throw error(errc::misuse, "services: these factories need each other: " + text +
                                "; give one of them services& and ask later");
}

/// A factory on the board, and what takes it off when it has ended, well or not.
class running_factory {
 public:
  /// `lock` holds the board's lock, which is free afterwards.
  running_factory(making_board& board, service_slot& slot, std::uint64_t task,
                  std::unique_lock<spin_lock> lock)
      : board_(board) {
    mine_.slot = &slot;
    mine_.task = task;
    mine_.outer = innermost(board, task);
    mine_.next = std::exchange(board.first, &mine_);
    slot.at = service_slot::step::in_making;
    slot.maker = &mine_;
    lock.unlock();
  }
  running_factory(const running_factory&) = delete;
  running_factory& operator=(const running_factory&) = delete;
  ~running_factory() {
    const std::lock_guard lock(board_.lock);
    making** link = &board_.first;
    while (*link != &mine_) link = &(*link)->next;
    *link = mine_.next;
    auto& slot = *mine_.slot;
    const bool made = slot.object.load(std::memory_order_relaxed) != nullptr;
    slot.at = made ? service_slot::step::made : service_slot::step::empty;
    slot.maker = nullptr;
    slot.line.serve_all();
  }

 private:
  making_board& board_;
  making mine_;
};

/// Says for which slot the task's innermost factory waits, while it does. Under the lock.
class waiting_mark {
 public:
  waiting_mark(making* mine, service_slot& slot) : mine_(mine) {
    if (mine_ != nullptr) mine_->waits_for = &slot;
  }
  waiting_mark(const waiting_mark&) = delete;
  waiting_mark& operator=(const waiting_mark&) = delete;
  ~waiting_mark() {
    if (mine_ != nullptr) mine_->waits_for = nullptr;
  }

 private:
  making* mine_;
};

/// Stands in the slot's line until its maker is done.
void wait_for(making_board& board, service_slot& slot, std::unique_lock<spin_lock>& lock,
              std::uint64_t task) {
  making* const mine = innermost(board, task);
  if (closes_circle(board, &slot, task)) {
    lock.unlock();
    throw_circle(mine, slot);
  }
  const waiting_mark mark(mine, slot);
  waiter one;
  const auto outcome = wait_in(slot.line, one, lock, no_deadline, "services::get");
  if (outcome == wait_outcome::cancelled) throw_cancelled("services::get");
}

}  // namespace

void* make_once(making_board& board, service_slot& slot, const std::function<std::shared_ptr<void>()>& make) {
  const std::uint64_t task = task_block::current().id();
  std::unique_lock lock(board.lock);
  while (slot.at == service_slot::step::in_making) wait_for(board, slot, lock, task);
  if (slot.at == service_slot::step::made) return slot.object.load(std::memory_order_relaxed);
  const running_factory running(board, slot, task, std::move(lock));
  void* const object = make().get();
  slot.object.store(object, std::memory_order_release);
  return object;
}

}  // namespace weft::inline v1::detail
