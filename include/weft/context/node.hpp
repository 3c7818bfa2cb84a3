#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <weft/context/key.hpp>
#include <weft/core/task_block.hpp>

// The representation of a context. Users read context.hpp.

namespace weft::detail {

class cancel_state;

/// One binding of a context, immutable once made; a context is a chain of them towards the root.
///
/// Counted by reference. A node owns one reference to its parent and one to its cancel state. Its value
/// may be kept longer than the node, by a flat copy of the chain: see inherited_bindings().
struct context_node {
  using destroy_fn = void (*)(context_node* node) noexcept;

  context_node(context_node* parent_ref, cancel_state* cancel_ref, std::uint32_t key,
               destroy_fn destroy_node) noexcept;

  mutable std::atomic<std::uint32_t> refs{1};
  std::atomic<std::uint32_t> value_refs{1};  ///< of the value and the memory: the node's own, and flat copies
  std::uint32_t key_id;                      ///< 0: binds no key
  std::uint32_t hops = 0;                    ///< cancel nodes towards the root since the last flat copy
  std::uint64_t key_mask;                    ///< bit (id % 64) of this binding and of all towards the root
  context_node* parent;                      ///< owned; null at the root
  cancel_state* cancel;         ///< owned; in force here: own or inherited; null: nothing can cancel
  const void* value = nullptr;  ///< null: the key is shadowed as absent
  destroy_fn destroy;
};

/// Adds a reference; null is allowed and stays null.
inline context_node* retain(context_node* node) noexcept {
  if (node != nullptr) node->refs.fetch_add(1, std::memory_order_relaxed);
  return node;
}

/// Drops a reference; the chain is destroyed in a loop, in root context.
void release(context_node* node) noexcept;

/// What a task or scope that starts under `head_ref`, which it takes over, inherits: the bindings
/// without the nodes that only cancel, so that who has ended is not kept by those it started. Where
/// bindings were made in many such parts one after the other, it is a flat copy of those in force: a
/// chain in which each task binds a value and starts the next one keeps few of them.
context_node* inherited_bindings(context_node* head_ref) noexcept;

/// The value bound to `key_id`, null if absent. Never allocates.
const void* find_value(const context_node* node, std::uint32_t key_id) noexcept;

/// What the registry knows of a key.
struct key_record {
  key_spec spec;
  std::uint32_t id = 0;
  std::string (*to_text)(const void* value) = nullptr;  ///< null: no text form
  /// A binding on top of `parent_ref`, which it takes over; null, and nothing taken, for a bad text.
  context_node* (*from_text)(const key_record&, context_node* parent_ref, std::string_view text) = nullptr;
};

/// Is it 1 to 128 characters of [a-z0-9_.-]?
bool is_key_name(std::string_view name) noexcept;

/// Gives the key its id. Two keys of one name end the program, naming it: a start-up failure.
const key_record& register_key(key_record record);
const key_record* find_key(std::string_view name) noexcept;
const key_record* find_key(std::uint32_t id) noexcept;

template <typename Value>
struct value_node final : context_node {
  template <typename From>
  value_node(context_node* parent_ref, std::uint32_t key, From&& from)
      : context_node(nullptr, nullptr, key,
                     [](context_node* node) noexcept { delete static_cast<value_node*>(node); }),
        held(std::forward<From>(from)) {
    value = &held;
    adopt(parent_ref);
  }
  Value held;

 private:
  void adopt(context_node* parent_ref) noexcept;
};

void adopt_parent(context_node& node, context_node* parent_ref) noexcept;

template <typename Value>
void value_node<Value>::adopt(context_node* parent_ref) noexcept {
  adopt_parent(*this, parent_ref);
}

/// Entries that did not fit a hop, and values that the far side could not read; since start.
extern std::atomic<std::uint64_t> wire_entries_dropped;
extern std::atomic<std::uint64_t> wire_values_unreadable;

/// A node that shadows `key` as absent.
context_node* make_absent(context_node* parent_ref, std::uint32_t key);

/// Installs `node` (a reference) as the current context of the running task; gives the former one.
context_node* exchange_current(context_node* node) noexcept;

/// A new reference to the running task's context.
context_node* capture_current() noexcept;

}  // namespace weft::detail
