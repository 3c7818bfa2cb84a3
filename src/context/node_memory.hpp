#pragma once

#include <new>

#include <weft/context/node.hpp>

namespace weft::inline v1::detail {

/// The free nodes of a thread, linked by their first word: a scope costs no call of the allocator.
struct node_cache {
  static constexpr unsigned kept_max = 256;

  void* first = nullptr;
  unsigned count = 0;
  unsigned kept = 0;     // at most that many; 0 until the end of the thread will empty it, and from then on
  bool is_over = false;  // the thread ends

  static constexpr std::align_val_t line{64};
  void keep_or_delete(void* memory) noexcept;
};

[[gnu::tls_model("initial-exec")]] extern constinit thread_local node_cache free_nodes;

/// Memory for one node, on a cache line of its own. Throws std::bad_alloc.
inline void* allocate_node() {
  node_cache& free = free_nodes;
  void* const memory = free.first;
  if (memory == nullptr) return ::operator new(sizeof(context_node), node_cache::line);
  free.first = *static_cast<void**>(memory);
  --free.count;
  return memory;
}

inline void free_node(context_node* node) noexcept {
  node->~context_node();
  node_cache& free = free_nodes;
  if (free.count >= free.kept) return free.keep_or_delete(node);
  *reinterpret_cast<void**>(node) = free.first;
  free.first = node;
  ++free.count;
}

/// When the running thread ends, it drops the context that is current on it then. For a plain thread that
/// changes its context without a scope.
void drop_context_at_thread_end() noexcept;

}  // namespace weft::inline v1::detail
