#include "context/node_memory.hpp"

#include <new>
#include <utility>

#include <weft/context/node.hpp>
#include <weft/core/task_block.hpp>

namespace weft::inline v1::detail {

constinit thread_local node_cache free_nodes;

namespace {

// A sanitizer is to see the use of a node that was freed.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool keeps_free_nodes = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool keeps_free_nodes = false;
#else
constexpr bool keeps_free_nodes = true;
#endif
#else
constexpr bool keeps_free_nodes = true;
#endif

struct thread_end {
  ~thread_end() {
    free_nodes.is_over = true;
    if (task_block* const task = task_block::current_or_null(); task != nullptr && !task->is_fiber()) {
      release(std::exchange(task->context, nullptr));
    }
    free_nodes.kept = 0;
    free_nodes.count = 0;
    while (void* const memory = free_nodes.first) {
      free_nodes.first = *static_cast<void**>(memory);
      ::operator delete(memory, node_cache::line);
    }
  }
  void touch() const noexcept {}  // makes it, in this thread
};

thread_local const thread_end at_thread_end;

}  // namespace

void node_cache::keep_or_delete(void* memory) noexcept {
  if (keeps_free_nodes && kept == 0 && !is_over) {
    at_thread_end.touch();
    kept = kept_max;
  }
  if (count >= kept) {
    ::operator delete(memory, line);
    return;
  }
  *static_cast<void**>(memory) = first;
  first = memory;
  ++count;
}

void drop_context_at_thread_end() noexcept { at_thread_end.touch(); }

}  // namespace weft::inline v1::detail
