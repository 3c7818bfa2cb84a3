// How the running task's context changes and is restored.

#include <pthread.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include <weft/context/node.hpp>

#include "context/chain.hpp"

namespace weft::inline v1::detail {

std::atomic<std::uint64_t> scopes_misnested{0};
#ifdef NDEBUG
std::atomic<bool> misnesting_aborts{false};
#else
std::atomic<bool> misnesting_aborts{true};
#endif

namespace {

/// A scope ended on another task than its own, which still has it in its chain of scopes, and does not know.
/// From here on nobody follows such a chain.
std::atomic<bool> scopes_may_dangle{false};

/// The contexts of the parent process are not this one's to end.
std::atomic<bool> is_forked{false};

[[noreturn]] void abort_misnested(std::source_location which, const std::source_location* open) {
  std::fprintf(stderr, "weft: context: the scope made at %s:%u (%s) ", which.file_name(),
               static_cast<unsigned>(which.line()), which.function_name());
  if (open != nullptr) {
    std::fprintf(
        stderr,
        "ended while the one made inside it at %s:%u (%s) is still open; scopes end last in, first out\n",
        open->file_name(), static_cast<unsigned>(open->line()), open->function_name());
  } else {
    std::fputs(
        "ended on another task than the one that made it, or after the scope around it; use context::run "
        "there\n",
        stderr);
  }
  std::abort();
}

}  // namespace

/// In the child of a fork: what is current there begins at root, and nothing of the parent ends.
void forget_contexts_of_parent() noexcept {
  is_forked.store(true, std::memory_order_relaxed);
  scopes_may_dangle.store(false, std::memory_order_relaxed);
  task_block* const task = task_block::current_or_null();
  if (task == nullptr) return;
  task->context = nullptr;
  task->scopes = nullptr;
}

namespace {
[[maybe_unused]] const int fork_is_watched = pthread_atfork(nullptr, nullptr, &forget_contexts_of_parent);
}

context_scope::context_scope(context_node* fresh_ref, std::source_location from)
    : task_(&task_block::current()), outer_(task_->scopes), from_(from), kind_(scope_kind::same_work) {
  context_node* const below = task_->context;
  if (is_plain_extension(below, *fresh_ref)) {
    // Two references from the start, the task's and ours: nobody counts atomically unless somebody captures.
    fresh_ref->refs.store(2, std::memory_order_relaxed);
    link(*fresh_ref, below);
    node_ = fresh_ref;
    task_->context = fresh_ref;
  } else {
    put_on_top(extend(below, fresh_ref));
  }
  task_->scopes = this;
  context_changes_to(task_->context, context_change::set);
}

context_scope::context_scope(whole, context_node* now_ref, std::source_location from,
                             scope_kind kind) noexcept
    : task_(&task_block::current()), outer_(task_->scopes), from_(from), kind_(kind) {
  put_on_top(now_ref);
  task_->scopes = this;
  context_changes_to(now_ref, context_change::switched);
}

void context_scope::put_on_top(context_node* node_ref) noexcept {
  former_ = std::exchange(task_->context, node_ref);
}

void context_scope::end() noexcept {
  if (task_ == nullptr || task_ != &task_block::current() || task_->scopes != this) return end_misnested();
  task_->scopes = outer_;
  context_node* const top = task_->context;
  if (node_ == nullptr) {
    task_->context = former_;
    context_changes_to(former_, context_change::restore);
    release(top);
  } else if (top == node_ && node_->refs.load(std::memory_order_acquire) == 2) {
    task_->context = node_->parent;
    context_changes_to(task_->context, context_change::restore);
    end_unshared(node_);
  } else {
    task_->context = retain(node_->parent);
    context_changes_to(task_->context, context_change::restore);
    release(top);
    release(node_);
  }
}

context_node* capture_cause() noexcept {
  const task_block* const task = task_block::current_or_null();
  if (task == nullptr || scopes_may_dangle.load(std::memory_order_acquire)) return nullptr;
  const context_scope* scope = task->scopes;
  while (scope != nullptr && scope->kind_ == scope_kind::same_work) scope = scope->outer_;
  return scope != nullptr && scope->kind_ == scope_kind::callback ? capture_from(scope->former_) : nullptr;
}

void context_scope::end_misnested() noexcept {
  if (is_forked.load(std::memory_order_relaxed)) return;  // of the parent process
  if (task_ != nullptr) {
    scopes_misnested.fetch_add(1, std::memory_order_relaxed);
    bool is_here = task_ == &task_block::current();
    if (!is_here) scopes_may_dangle.store(true, std::memory_order_release);
    context_scope* innermost = this;  // of those that are open, as far as that can be told
    if (is_here && !scopes_may_dangle.load(std::memory_order_acquire)) {
      innermost = task_->scopes;
      const context_scope* inner = innermost;
      while (inner != nullptr && inner != this) inner = inner->outer_;
      is_here = inner == this;
    }
    if (misnesting_aborts.load(std::memory_order_relaxed)) {
      abort_misnested(from_, is_here ? &innermost->from_ : nullptr);
    }
    if (is_here) {
      for (context_scope* inner = innermost; inner != this; inner = inner->outer_) inner->task_ = nullptr;
      task_->scopes = outer_;
      context_node* const restored =
          node_ != nullptr ? retain(node_->parent) : std::exchange(former_, nullptr);
      context_node* const top = std::exchange(task_->context, restored);
      context_changes_to(restored, context_change::restore);
      release(top);
    }
  }
  release(node_);
  release(former_);
}

}  // namespace weft::inline v1::detail
