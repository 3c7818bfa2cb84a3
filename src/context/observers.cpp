// Observers of context keys.

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include <weft/context/node.hpp>

#include "context/chain.hpp"

namespace weft::inline v1::detail {

std::atomic<std::uint64_t> observed_keys{0};

namespace {

/// What the observers of this thread were told last.
struct told_context {
  context_node* node = nullptr;  // owned
  bool tells = false;
  bool is_over = false;  // the thread ends
  ~told_context() {
    is_over = true;
    release(std::exchange(node, nullptr));
  }
};

thread_local told_context told;

bool are_equal(const key_record& key, const void* one, const void* other) {
  if (one == other) return true;
  if (one == nullptr || other == nullptr || key.are_equal == nullptr) return false;
  return key.are_equal(one, other);
}

[[noreturn]] void abort_changed(const key_record& key) {
  std::fprintf(stderr, "weft: context key \"%.*s\": its observer changed the context\n",
               static_cast<int>(key.spec.name.size()), key.spec.name.data());
  std::abort();
}

/// Calls one observer. What it does to the context does not stay.
void call(const key_record& key, const void* old, const void* now, context_change why) noexcept {
  task_block& task = task_block::current();
  context_node* const before = retain(task.context);
  key.notify(key.observer, old, now, why);
  context_node* const after = std::exchange(task.context, before);
  if (after != before && misnesting_aborts.load(std::memory_order_relaxed)) abort_changed(key);
  release(after);
}

}  // namespace

void notify_observers(context_node* now, context_change why) noexcept {
  if (told.is_over || told.tells || told.node == now) return;
  const std::uint64_t masks =
      (told.node != nullptr ? told.node->key_mask : 0) | (now != nullptr ? now->key_mask : 0);
  if ((masks & observed_keys.load(std::memory_order_relaxed)) == 0) return;
  context_node* const before = std::exchange(told.node, retain(now));
  told.tells = true;
  for (const key_record* const key : keys_with_observers()) {
    const void* const old_value = find_value(before, *key);
    const void* const new_value = find_value(now, *key);
    if (!are_equal(*key, old_value, new_value)) call(*key, old_value, new_value, why);
  }
  told.tells = false;
  release(before);
}

}  // namespace weft::inline v1::detail
