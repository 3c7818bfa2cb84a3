#include <weft/context/node.hpp>

#include <algorithm>
#include <limits>
#include <memory>

#include <weft/context/cancel_state.hpp>

#include "context/chain.hpp"

namespace weft::inline v1::detail {

/// All bindings in force at a node, newest first, and a reference to what cancels there.
struct value_table {
  struct entry {
    std::uint16_t key_id;
    node_kind kind;  // word or box
    union {
      alignas(8) unsigned char word[8];
      value_box* box;  // owned
    };
    const void* value() const noexcept { return kind == node_kind::word ? word : box->value; }
  };
  cancel_state* held = nullptr;  // owned; may be null
  std::vector<entry> entries;
};

namespace {

void release_box(value_box* box) noexcept {
  if (box->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (box->key->spec.destroy_on != nullptr) {
    box->key->spec.destroy_on(box->destroy, box);
  } else {
    box->destroy(box);
  }
}

void release_table(value_table* table) noexcept {
  for (auto& one : table->entries) {
    if (one.kind == node_kind::box) release_box(one.box);
  }
  if (table->held != nullptr) table->held->release();
  delete table;
}

}  // namespace

void end_node(context_node* node) noexcept {
  switch (node->kind) {
    case node_kind::embedded:
      node->cancel->release();  // perhaps with the memory of the node
      return;
    case node_kind::bare:
      if (node->held != nullptr) node->held->release();
      break;
    case node_kind::box:
      release_box(node->box);
      break;
    case node_kind::table:
      release_table(node->table);
      break;
    case node_kind::divider:
      release(node->outward);
      break;
    case node_kind::word:
    case node_kind::absent:
      break;
  }
  free_node(node);
}

namespace {

/// Calls `found` for each binding of the chain, newest first, with a node or an entry of a table. Hidden
/// bindings and those that make a key absent are among them.
template <typename Found>
void for_each_binding(const context_node* node, Found&& found) {
  for (; node != nullptr; node = node->parent) {
    if (node->kind == node_kind::table) {
      for (const auto& one : node->table->entries) found(one);
    } else if (node->key_id != 0) {
      found(*node);
    }
  }
}

/// The same, for those in force.
template <typename Found>
void for_each_in_force(const context_node* node, Found&& found) {
  std::vector<std::uint16_t> seen;
  for_each_binding(node, [&](const auto& one) {
    if (std::find(seen.begin(), seen.end(), one.key_id) != seen.end()) return;
    seen.push_back(one.key_id);
    if (one.kind != node_kind::absent) found(one);
  });
}

context_node* make_table(const context_node* from, bool cancels) {
  auto table = std::make_unique<value_table>();
  for_each_in_force(from, [&](const auto& one) {
    auto& kept =
        table->entries.emplace_back(value_table::entry{.key_id = one.key_id, .kind = one.kind, .word = {}});
    if (one.kind == node_kind::word) {
      std::memcpy(kept.word, one.word, sizeof kept.word);
    } else {
      kept.box = one.box;
    }
  });
  auto* const node = new (allocate_node()) context_node(node_kind::table, nullptr);
  for (const auto& one : table->entries) {
    if (one.kind == node_kind::box) one.box->refs.fetch_add(1, std::memory_order_relaxed);
    const key_record& key = key_of(one.key_id);
    node->key_mask |= key.mask;
    if (key.hot != 0) node->hot[key.hot - 1] = one.value();
    if (key.spec.log) node->hot[hot_log - 1] = node;
  }
  if (cancels && from->cancel != nullptr) {
    from->cancel->retain();
    node->cancel = table->held = from->cancel;
  }
  node->table = table.release();
  return node;
}

/// A table of what is in force at `node_ref`, with what cancels there if `cancels`. Without memory for
/// that it stays as it is: as correct, only longer.
context_node* compact(context_node* node_ref, bool cancels) noexcept {
  try {
    context_node* const table = make_table(node_ref, cancels);
    release(node_ref);
    return table;
  } catch (const std::bad_alloc&) {
    return node_ref;
  }
}

/// Puts the new binding `fresh_ref` on top of `parent_ref`; both are taken over. A table where the chain gets
/// long.
context_node* stack_up(context_node* parent_ref, context_node* fresh_ref) noexcept {
  link(*fresh_ref, parent_ref);
  return fresh_ref->depth > depth_max ? compact(fresh_ref, true) : fresh_ref;
}

context_node* make_fresh(const key_record& key, node_kind kind) {
  auto* const node = new (allocate_node()) context_node(kind, nullptr);
  node->key_id = key.id;
  node->key_mask = key.mask;
  return node;
}

/// Another binding of the same value, which a node or an entry of a table has.
template <typename Binding>
context_node* copy_binding(const Binding& of) {
  auto* const node = make_fresh(key_of(of.key_id), of.kind);
  if (of.kind == node_kind::box) {
    node->box = of.box;
    of.box->refs.fetch_add(1, std::memory_order_relaxed);
  } else {
    std::memcpy(node->word, of.word, sizeof node->word);
  }
  return node;
}

/// Nodes that lost their last reference while a value ended that kept them; their thread ends them when that
/// is through.
class node_pile {
 public:
  void push(context_node& node) noexcept {
    node.key_mask = reinterpret_cast<std::uintptr_t>(top_);  // nobody reads it any more
    top_ = &node;
  }
  context_node* pop() noexcept {
    context_node* const node = top_;
    if (node != nullptr) top_ = reinterpret_cast<context_node*>(static_cast<std::uintptr_t>(node->key_mask));
    return node;
  }

 private:
  context_node* top_ = nullptr;
};

constinit thread_local node_pile unreferenced;

/// A reference that is dropped unless it is handed on.
struct owned_node {
  explicit owned_node(context_node* ref) noexcept : node(ref) {}
  owned_node(const owned_node&) = delete;
  owned_node& operator=(const owned_node&) = delete;
  ~owned_node() { release(node); }
  context_node* hand_on() noexcept { return std::exchange(node, nullptr); }
  context_node* node;
};

context_node* make_divider(context_node* inward_ref, context_node* outward_ref, flow_of_divider by) {
  owned_node inward(inward_ref), outward(outward_ref);
  auto* const node = new (allocate_node()) context_node(node_kind::divider, inward.node);
  inward.hand_on();
  node->outward = outward.hand_on();
  node->flow = by;
  return node;
}

bool flows(const key_record& key, flow_of_divider by) noexcept {
  if (key.spec.flow == key_flow::local || by == flow_of_divider::nothing) return false;
  return by == flow_of_divider::all_but_local || key.spec.sticky;
}

/// `below`, which is divided or is about to be by a local key, with the binding on both of its sides.
context_node* extend_divided(context_node* below, context_node* fresh_ref) {
  owned_node fresh(fresh_ref);
  const bool is_divided = is_divider(below);
  const flow_of_divider by = is_divided ? below->flow : flow_of_divider::all_but_local;
  owned_node outward(retain(is_divided ? below->outward : below));
  if (flows(key_of(fresh.node->key_id), by)) {
    context_node* const copy = copy_binding(*fresh.node);
    outward.node = stack_up(outward.hand_on(), copy);
  }
  fresh.node = stack_up(retain(is_divided ? below->parent : below), fresh.hand_on());
  return make_divider(fresh.hand_on(), outward.hand_on(), by);
}

}  // namespace

void release(context_node* node) noexcept {
  if (node == nullptr || node->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  task_block& task = task_block::current();
  if (task.ends_values) return unreferenced.push(*node);
  // Destructors of values run in root context, so that they do not see a context that is going away.
  context_node* const current = std::exchange(task.context, nullptr);
  task.ends_values = true;
  for (; node != nullptr; node = unreferenced.pop()) {
    do {
      context_node* const parent = node->parent;
      end_node(node);
      node = parent;
    } while (node != nullptr && node->refs.fetch_sub(1, std::memory_order_acq_rel) == 1);
  }
  task.ends_values = false;
  task.context = current;
}

context_node* make_word(const key_record& key, const void* bytes, std::size_t count) {
  context_node* const node = make_fresh(key, node_kind::word);
  std::memcpy(node->word, bytes, count);
  return node;
}

context_node* make_boxed(const key_record& key, value_box* box) {
  try {
    context_node* const node = make_fresh(key, node_kind::box);
    node->box = box;
    return node;
  } catch (...) {
    release_box(box);
    throw;
  }
}

context_node* make_absent(const key_record& key) { return make_fresh(key, node_kind::absent); }

context_node* extend(context_node* below, context_node* fresh_ref) {
  if (is_divider(below) || key_of(fresh_ref->key_id).spec.flow == key_flow::local)
    return extend_divided(below, fresh_ref);
  return stack_up(retain(below), fresh_ref);
}

context_node* make_border(context_node* parent_ref, cancel_state* state_ref) {
  try {
    auto* const node = new (allocate_node()) context_node(node_kind::bare, parent_ref);
    node->cancel = node->held = state_ref;
    return node;
  } catch (...) {
    release(parent_ref);
    if (state_ref != nullptr) state_ref->release();
    throw;
  }
}

context_node* divided_as_current(context_node* node_ref) {
  const context_node* const current = task_block::current().context;
  if (!is_divider(current)) return node_ref;
  owned_node inward(node_ref);
  owned_node outward(retain(current->outward));
  if (current->flow == flow_of_divider::all_but_local) {
    if (node_ref->cancel != nullptr) node_ref->cancel->retain();
    outward.node = make_border(outward.hand_on(), node_ref->cancel);
  }
  return make_divider(inward.hand_on(), outward.hand_on(), current->flow);
}

context_node* suppressed_current(bool all) {
  const context_node* const current = task_block::current().context;
  const flow_of_divider by = all ? flow_of_divider::nothing : flow_of_divider::sticky;
  if (is_divider(current) && current->flow >= by) return retain_current();
  owned_node outward(nullptr);
  for_each_in_force(current, [&](const auto& one) {
    if (!flows(key_of(one.key_id), by)) return;
    context_node* const copy = copy_binding(one);
    link(*copy, outward.hand_on());
    outward.node = copy;
  });
  return make_divider(retain_current(), outward.hand_on(), by);
}

context_node* inherited_bindings(context_node* head_ref) noexcept {
  context_node* bound = head_ref;
  while (bound != nullptr && (bound->kind == node_kind::embedded || bound->kind == node_kind::bare)) {
    bound = bound->parent;
  }
  if (bound != head_ref) {
    retain(bound);
    release(head_ref);
  }
  return bound != nullptr && bound->depth >= depth_max ? compact(bound, false) : bound;
}

const void* walk_to_value(const context_node* node, const key_record& key) noexcept {
  for (; node != nullptr && (node->key_mask & key.mask) != 0; node = node->parent) {
    if (node->key_id == key.id) return node->value();
    if (node->kind != node_kind::table) continue;
    for (const auto& one : node->table->entries) {
      if (one.key_id == key.id) return one.value();
    }
  }
  return nullptr;
}

std::vector<bound_value> bindings_in_force(const context_node* node) {
  std::vector<bound_value> found;
  for_each_in_force(node, [&](const auto& one) { found.push_back({&key_of(one.key_id), one.value()}); });
  return found;
}

void assign_current(context_node* node_ref) noexcept {
  task_block& task = task_block::current();
  if (!task.is_fiber()) drop_context_at_thread_end();
  context_node* const former = std::exchange(task.context, node_ref);
  context_changes_to(node_ref, context_change::set);
  release(former);
}

void assign_binding(context_node* fresh_ref) {
  context_node* below = task_block::current().context;
  // One that was assigned just before, and that nobody has captured, makes room.
  if (below != nullptr && below->is_assigned && below->key_id == fresh_ref->key_id &&
      below->refs.load(std::memory_order_acquire) == 1) {
    below = below->parent;
  }
  context_node* const now = extend(below, fresh_ref);
  if (now == fresh_ref) now->is_assigned = true;
  assign_current(now);
}

}  // namespace weft::inline v1::detail
