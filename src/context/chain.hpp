#pragma once

#include <weft/context/node.hpp>

#include "context/node_memory.hpp"

// How nodes are put together; node.hpp tells what they are.

namespace weft::inline v1::detail {

inline constexpr unsigned char depth_max = 16;

/// Puts the new binding `fresh` on top of `parent_ref`.
inline void link(context_node& fresh, context_node* parent_ref) noexcept {
  fresh.inherit(parent_ref);
  const key_record& key = key_of(fresh.key_id);
  if (key.hot != 0) fresh.hot[key.hot - 1] = fresh.value();
  if (key.spec.log) fresh.hot[hot_log - 1] = &fresh;
}

inline bool is_divider(const context_node* node) noexcept {
  return node != nullptr && node->kind == node_kind::divider;
}

/// Is `fresh` simply one more node on top of `below`?
inline bool is_plain_extension(const context_node* below, const context_node& fresh) noexcept {
  if (key_of(fresh.key_id).spec.flow == key_flow::local) return false;
  return below == nullptr || (!is_divider(below) && below->depth < depth_max);
}

/// Ends what a node owns, but its parent, and gives back its memory.
void end_node(context_node* node) noexcept;

/// The same for a binding to which nobody else refers, whose value ends in root context.
inline void end_unshared(context_node* node) noexcept {
  if (node->kind != node_kind::word) {
    node->parent = nullptr;
    node->refs.store(1, std::memory_order_relaxed);
    return release(node);
  }
  free_node(node);
}

/// The keys that have observers.
const std::vector<const key_record*>& keys_with_observers() noexcept;

}  // namespace weft::inline v1::detail
