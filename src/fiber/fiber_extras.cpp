#include <weft/fiber/fiber_extras.hpp>

#include <atomic>
#include <exception>
#include <new>
#include <utility>

#include <weft/context/cancel_state.hpp>

#include "fiber/uncaught.hpp"

namespace weft::inline v1::detail {
namespace {

/// Ends the locals of a plain thread together with its thread_local objects.
struct thread_end {
  ~thread_end() {
    if (task_extras* const extras = task_block::current().extras) extras->end();
  }
  void touch() const noexcept {}  // makes it, in this thread
};

thread_local const thread_end at_thread_end;

/// The current bindings without what cancels. Without memory for that, no bindings either: what ends
/// a task must run.
context shelter() noexcept {
  try {
    return shielded_current();
  } catch (const std::bad_alloc&) {
    return {};
  }
}

}  // namespace

fiber_extras& fiber_extras::current() {
  task_block& task = task_block::current();
  if (task.extras == nullptr) {
    task.extras = new fiber_extras;
    if (!task.is_fiber()) at_thread_end.touch();
  }
  return static_cast<fiber_extras&>(*task.extras);
}

void fiber_extras::defer(unique_function<void()> call) {
  deferred_.push_back({std::move(call), weft::context::current()});
}

void fiber_extras::keep(std::uint32_t index, void* value, void (*destroy)(void* value) noexcept) {
  if (index >= locals_.size()) locals_.resize(index + 1);
  locals_[index] = {value, destroy, std::exchange(last_local_, index)};
}

bool fiber_extras::run_last_deferred() noexcept {
  if (deferred_.empty()) return false;
  deferred_call last = std::move(deferred_.back());
  deferred_.pop_back();
  const context::attachment its_context(std::move(last.context));
  const context::attachment shielded(shelter());
  try {
    last.call();
  } catch (...) {
    hand_on_uncaught(std::current_exception());
  }
  last.call.reset();
  return true;
}

bool fiber_extras::end_last_local() noexcept {
  if (last_local_ == 0) return false;
  const std::uint32_t index = last_local_;
  const context::attachment shielded(shelter());
  // Found under its index until its destructor is through, as a thread_local would be. The destructor
  // may make others: the vector may move.
  locals_[index].destroy(locals_[index].value);
  local& ended = locals_[index];
  if (last_local_ == index) {
    last_local_ = ended.made_before;
  } else {
    std::uint32_t above = last_local_;
    while (locals_[above].made_before != index) above = locals_[above].made_before;
    locals_[above].made_before = ended.made_before;
  }
  ended = {};
  return true;
}

void fiber_extras::end() noexcept {
  while (run_last_deferred() || end_last_local()) {
  }
  task_block::current().extras = nullptr;
  delete this;
}

std::uint32_t next_local_index() noexcept {
  static std::atomic<std::uint32_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace weft::inline v1::detail
