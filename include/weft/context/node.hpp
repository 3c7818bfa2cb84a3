#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/context/key.hpp>
#include <weft/core/task_block.hpp>

// The representation of a context. Users read context.hpp.

namespace weft::inline v1::detail {

class cancel_state;
struct context_node;

/// What the registry knows of a key. Constant once registered.
struct key_record {
  key_spec spec;
  std::uint16_t id = 0;
  unsigned char hot = 0;   ///< 1 + its place in context_node::hot; 0: it has none
  std::uint64_t mask = 0;  ///< its bit of key_mask
  std::string (*to_text)(const void* value) = nullptr;  ///< null: no text form
  /// A new binding, unlinked; null for a bad text.
  context_node* (*from_text)(const key_record&, std::string_view text) = nullptr;
  bool (*are_equal)(const void* one, const void* other) = nullptr;  ///< null: compared by address
  /// Calls the observer `typed`; null: nobody observes it.
  void (*notify)(void (*typed)(), const void* old, const void* now, context_change why) noexcept = nullptr;
  void (*observer)() = nullptr;
};

/// A value that does not fit into a node, shared by all bindings of it.
struct value_box {
  using destroy_fn = void (*)(void* box) noexcept;

  value_box(const key_record& of, const void* at, destroy_fn end) noexcept
      : key(&of), value(at), destroy(end) {}

  std::atomic<std::uint32_t> refs{1};
  const key_record* key;
  const void* value;
  destroy_fn destroy;
};

template <typename Value>
struct value_holder final : value_box {
  template <typename From>
  value_holder(const key_record& of, From&& from)
      : value_box(of, &held, [](void* box) noexcept { delete static_cast<value_holder*>(box); }),
        held(std::forward<From>(from)) {}
  Value held;
};

enum class node_kind : unsigned char {
  embedded,  ///< part of a cancel_node; owns its state's first reference
  bare,      ///< binds nothing; may own a reference to a cancel state
  word,      ///< binds a value of at most eight bytes, which is in the node
  box,       ///< binds a value in a box
  absent,    ///< makes its key absent
  table,     ///< all bindings in force, in one
  divider,   ///< what hops take along differs from what the task sees
};

/// What a hop takes along, under a divider.
enum class flow_of_divider : unsigned char {
  all_but_local,  ///< all but the keys that do not leave their task
  sticky,         ///< the sticky keys
  nothing,
};

struct value_table;

/// One binding of a context, immutable once it is current somewhere; a context is a chain of them towards
/// the root. One cache line.
///
/// Counted by reference; a node owns one reference to its parent. The cancel state in force is kept by
/// the node that put it in force, further down the chain.
///
/// A divider is always the topmost node of the task that has one: it has the chain that hops take along
/// beside the one that the task sees. So that a capture neither allocates nor walks, whatever is put
/// on top of a divided context is put on both.
struct context_node {
  context_node(node_kind of, context_node* parent_ref) noexcept : kind(of), word{} { inherit(parent_ref); }

  mutable std::atomic<std::uint32_t> refs{1};
  std::uint16_t key_id = 0;  ///< 0: binds no key, or is a table
  unsigned char depth = 1;   ///< nodes up to the root, or to the next table, this one included
  node_kind kind : 4;
  bool is_assigned : 1 = false;  ///< by assign(), and not by a scope
  flow_of_divider flow : 2 = flow_of_divider::all_but_local;
  std::uint64_t key_mask = 0;      ///< bit (id % 64) of this binding and of all towards the root
  context_node* parent = nullptr;  ///< owned; null at the root
  cancel_state* cancel = nullptr;  ///< in force here: own or inherited; null: nothing can cancel
  /// Values of keys that are read often, null where absent: that of the trace; of the log the nearest node
  /// whose key is marked for logs; that of the one key of the program which claims the place.
  const void* hot[3] = {};
  union {
    alignas(8) unsigned char word[8];
    value_box* box;         // owned
    value_table* table;     // owned
    cancel_state* held;     // bare: owned, may be null
    context_node* outward;  // divider: what hops take along; owned, may be null
    context_node* kept;     // embedded: for cancel_node::keep(); owned, may be null
  };

  /// Puts it on top of `parent_ref`.
  void inherit(context_node* parent_ref) noexcept {
    if (parent_ref == nullptr) return;
    parent = parent_ref;
    key_mask |= parent->key_mask;
    cancel = parent->cancel;
    std::memcpy(hot, parent->hot, sizeof hot);
    depth = static_cast<unsigned char>(parent->depth + (parent->depth < 255 ? 1 : 0));
  }
  const void* value() const noexcept {
    if (kind == node_kind::word) return word;
    return kind == node_kind::box ? box->value : nullptr;
  }
};
static_assert(sizeof(context_node) == 64);

inline constexpr unsigned char hot_trace = 1;
inline constexpr unsigned char hot_log = 2;
inline constexpr unsigned char hot_claimed = 3;

/// Adds a reference; null is allowed and stays null.
inline context_node* retain(context_node* node) noexcept {
  if (node != nullptr) node->refs.fetch_add(1, std::memory_order_relaxed);
  return node;
}

/// Drops a reference; the chain is destroyed in a loop, values in root context.
void release(context_node* node) noexcept;

/// A new binding of `key`, not linked to anything. Throws std::bad_alloc.
context_node* make_word(const key_record& key, const void* bytes, std::size_t count);
/// The same; takes over the box, also when it throws.
context_node* make_boxed(const key_record& key, value_box* box);
/// The same, which makes the key absent.
context_node* make_absent(const key_record& key);

template <typename Value>
inline constexpr bool is_word =
    sizeof(Value) <= 8 && std::is_trivially_copyable_v<Value> && std::is_trivially_destructible_v<Value>;

template <typename Value, typename From>
context_node* make_binding(const key_record& key, From&& from) {
  if constexpr (is_word<Value>) {
    const Value value(std::forward<From>(from));
    return make_word(key, &value, sizeof value);
  } else {
    return make_boxed(key, new value_holder<Value>(key, std::forward<From>(from)));
  }
}

/// `below` with the binding `fresh_ref`, which it takes over, on top. Where the chain gets long, or hides
/// many bindings, it is a table of those in force: so a task that binds a value and starts the next task,
/// which does the same, and so on, keeps few of them.
context_node* extend(context_node* below, context_node* fresh_ref);

/// A node that takes over both references: `state_ref`, which may be null, is what cancels in it. Throws
/// std::bad_alloc, and has dropped them then.
context_node* make_border(context_node* parent_ref, cancel_state* state_ref);

/// `node_ref`, which was put on top of the running task's context and changes only what cancels: divided as
/// that context is. Throws std::bad_alloc, and has dropped it then.
context_node* divided_as_current(context_node* node_ref);

/// A new reference to the running task's context, with a divider on top under which hops take along the
/// sticky keys only, or nothing at all. Throws std::bad_alloc.
context_node* suppressed_current(bool all);

/// What a task that starts under `head_ref`, which it takes over, inherits: the bindings without
/// the nodes that only cancel, so that who has ended is not kept by those it started.
context_node* inherited_bindings(context_node* head_ref) noexcept;

/// The value bound to `key` in a chain whose mask has its bit; null if it is absent. Never allocates.
const void* walk_to_value(const context_node* node, const key_record& key) noexcept;

/// The value bound to `key`, null if absent. Never allocates.
inline const void* find_value(const context_node* node, const key_record& key) noexcept {
  if (node == nullptr) return nullptr;
  if (key.hot != 0) return node->hot[key.hot - 1];
  return (node->key_mask & key.mask) == 0 ? nullptr : walk_to_value(node, key);
}

/// A binding in force.
struct bound_value {
  const key_record* key;
  const void* value;
};
/// Those in force at `node`, newest first.
std::vector<bound_value> bindings_in_force(const context_node* node);

/// Is it 1 to 128 characters of [a-z0-9_.-]?
bool is_key_name(std::string_view name) noexcept;

/// Gives the key its id. Two keys of one name end the program, naming it: a start-up failure.
const key_record& register_key(key_record record);
const key_record* find_key(std::string_view name) noexcept;
/// Wait-free.
const key_record& key_of(std::uint16_t id) noexcept;

/// `below_ref`, which it takes over, with the value that `text`, from another process, stands for on top; as
/// it was, and counted, where the key cannot read it.
context_node* bind_text(context_node* below_ref, const key_record& key, std::string_view text) noexcept;

/// Entries that did not fit a hop, and values that the far side could not read; since start.
extern std::atomic<std::uint64_t> wire_entries_dropped;
extern std::atomic<std::uint64_t> wire_values_unreadable;
/// Scopes that did not end last in, first out, or not on their task; since start.
extern std::atomic<std::uint64_t> scopes_misnested;
/// Does such a scope end the program, naming both? Where NDEBUG is not defined in weft's own build.
extern std::atomic<bool> misnesting_aborts;

/// A new reference to the running task's context as the task sees it.
inline context_node* retain_current() noexcept { return retain(task_block::current().context); }
/// What a hop takes along from `node`.
inline context_node* outward(context_node* node) noexcept {
  return node != nullptr && node->kind == node_kind::divider ? node->outward : node;
}
/// A new reference to that.
inline context_node* capture_from(context_node* node) noexcept { return retain(outward(node)); }
/// A new reference to what a hop takes along from here.
inline context_node* capture_current() noexcept { return capture_from(task_block::current().context); }
/// The same from where the running callback was called; null outside of one.
context_node* capture_cause() noexcept;

/// Puts `node_ref` in place of the running task's context, which it drops, until the innermost scope ends.
void assign_current(context_node* node_ref) noexcept;
/// Binds `fresh_ref`, which it takes over, until the innermost scope ends. Throws std::bad_alloc.
void assign_binding(context_node* fresh_ref);

/// Bit masks of the keys that somebody observes; 0 in nearly all programs.
extern std::atomic<std::uint64_t> observed_keys;
/// Calls the observers of what is different since they were last called on this thread.
void notify_observers(context_node* now, context_change why) noexcept;
/// The thread goes on in the context `now`.
inline void context_changes_to(context_node* now, context_change why) noexcept {
  if (observed_keys.load(std::memory_order_relaxed) != 0) [[unlikely]]
    notify_observers(now, why);
}

/// What runs in a scope that changes the context, for weft::cause().
enum class scope_kind : unsigned char {
  same_work,   ///< what ran before, with something added
  other_work,  ///< what has nothing to do with the code around it
  callback,    ///< what was called by the code around it
};

/// A part of a task in which another context is current. Ends on the task that made it, last in, first
/// out; if not, see end().
class context_scope {
 public:
  /// Binds `fresh_ref` for the running task, which it takes over. Throws std::bad_alloc before any change.
  /// Where nobody captures inside, it costs no atomic read-modify-write.
  context_scope(context_node* fresh_ref, std::source_location from);
  struct whole {};
  /// Makes `now_ref`, which it takes over, current.
  context_scope(whole, context_node* now_ref, std::source_location from, scope_kind kind) noexcept;
  context_scope(const context_scope&) = delete;
  context_scope& operator=(const context_scope&) = delete;
  ~context_scope() { end(); }

 private:
  friend context_node* capture_cause() noexcept;

  /// Restores what was. If scopes further in are still open, they are over with it, and what was before
  /// this one is restored; ended on another task, it leaves that one alone. Both are counted, or end the
  /// program: misnesting_aborts.
  void end() noexcept;
  void end_misnested() noexcept;
  void put_on_top(context_node* node_ref) noexcept;

  task_block* task_;  // null: another scope has ended it
  context_scope* outer_;
  context_node* node_ = nullptr;    // owned; null: former_ is
  context_node* former_ = nullptr;  // what to restore; owned unless it is the parent of node_
  std::source_location from_;
  const scope_kind kind_;
};

}  // namespace weft::inline v1::detail
