#include <weft/context/node.hpp>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <vector>

#include <weft/context/cancel_state.hpp>

namespace weft::detail {
namespace {

struct key_table {
  std::mutex mutex;
  std::deque<key_record> records;                                // guarded by mutex; addresses stay
  std::map<std::string_view, key_record*, std::less<>> by_name;  // guarded by mutex
};

key_table& table() {
  static key_table& instance = *new key_table;  // never destroyed: keys are used during exit
  return instance;
}

[[noreturn]] void refuse_key(std::string_view name, const char* why) {
  std::fprintf(stderr, "weft: context key \"%.*s\": %s\n", static_cast<int>(name.size()), name.data(), why);
  std::abort();
}

std::uint64_t mask_bit(std::uint32_t key_id) noexcept {
  return key_id == 0 ? 0 : std::uint64_t{1} << (key_id % 64);
}

constexpr std::uint32_t hops_max = 32;

/// Drops the value and the memory of a node, unless a flat copy keeps them.
void release_value(context_node* node) noexcept {
  if (node->value_refs.load(std::memory_order_acquire) == 1 ||
      node->value_refs.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    node->destroy(node);
  }
}

/// A binding of a flat copy: shares the value of the node that made it, and keeps nothing else of it.
struct shared_binding final : context_node {
  shared_binding(context_node* parent_ref, context_node& maker) noexcept
      : context_node(parent_ref, nullptr, maker.key_id, &destroy_shared), holder(&maker) {
    if (maker.destroy == &destroy_shared) holder = static_cast<shared_binding&>(maker).holder;
    holder->value_refs.fetch_add(1, std::memory_order_relaxed);
    value = holder->value;
  }
  static void destroy_shared(context_node* node) noexcept {
    auto* const gone = static_cast<shared_binding*>(node);
    release_value(gone->holder);
    delete gone;
  }
  context_node* holder;
};

/// The bindings in force, newest first. All that a flat copy needs: a key made absent has none below it.
std::vector<context_node*> bindings_in_force(context_node* node) {
  std::vector<context_node*> found;
  std::set<std::uint32_t> seen;
  for (; node != nullptr; node = node->parent) {
    if (node->key_id != 0 && seen.insert(node->key_id).second && node->value != nullptr)
      found.push_back(node);
  }
  return found;
}

context_node* flat_copy(context_node* from_ref) noexcept {
  context_node* flat = nullptr;
  try {
    const auto found = bindings_in_force(from_ref);
    for (auto one = found.rbegin(); one != found.rend(); ++one) flat = new shared_binding(flat, **one);
  } catch (const std::bad_alloc&) {
    release(flat);
    return from_ref;  // correct as it is, only longer
  }
  release(from_ref);
  return flat;
}

}  // namespace

bool is_key_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > 128) return false;
  for (const char c : name) {
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
    if (!allowed) return false;
  }
  return true;
}

context_node::context_node(context_node* parent_ref, cancel_state* cancel_ref, std::uint32_t key,
                           destroy_fn destroy_node) noexcept
    : key_id(key), key_mask(mask_bit(key)), parent(parent_ref), cancel(cancel_ref), destroy(destroy_node) {
  if (parent == nullptr) return;
  key_mask |= parent->key_mask;
  hops = parent->hops;
}

void adopt_parent(context_node& node, context_node* parent_ref) noexcept {
  node.parent = parent_ref;
  if (parent_ref == nullptr) return;
  node.key_mask |= parent_ref->key_mask;
  node.hops = parent_ref->hops;
  node.cancel = parent_ref->cancel;
  if (node.cancel != nullptr) node.cancel->retain();
}

void release(context_node* node) noexcept {
  if (node == nullptr || node->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  // Destructors of values run in root context, so that they do not see a context that is going away.
  task_block& task = task_block::current();
  context_node* const current = std::exchange(task.context, nullptr);
  do {
    context_node* const parent = node->parent;
    cancel_state* const cancel = node->cancel;
    release_value(node);
    if (cancel != nullptr) cancel->release();
    node = parent;
  } while (node != nullptr && node->refs.fetch_sub(1, std::memory_order_acq_rel) == 1);
  task.context = current;
}

context_node* inherited_bindings(context_node* head_ref) noexcept {
  context_node* bound = head_ref;
  while (bound != nullptr && bound->key_id == 0) bound = bound->parent;
  if (bound != head_ref) {
    retain(bound);
    release(head_ref);
  }
  return bound != nullptr && bound->hops >= hops_max ? flat_copy(bound) : bound;
}

const void* find_value(const context_node* node, std::uint32_t key_id) noexcept {
  const std::uint64_t bit = mask_bit(key_id);
  for (; node != nullptr && (node->key_mask & bit) != 0; node = node->parent) {
    if (node->key_id == key_id) return node->value;
  }
  return nullptr;
}

const key_record& register_key(key_record record) {
  const key_spec& spec = record.spec;
  if (!is_key_name(spec.name)) refuse_key(spec.name, "names are 1 to 128 characters of [a-z0-9_.-]");
  if (spec.wire != wire_policy::none && record.to_text == nullptr) {
    refuse_key(spec.name, "a key that leaves the process needs a weft::context_codec for its type");
  }
  if (spec.redact && spec.wire == wire_policy::baggage)
    refuse_key(spec.name, "a redacted key cannot be baggage");
  auto& all = table();
  const std::lock_guard lock(all.mutex);
  if (all.by_name.contains(spec.name))
    refuse_key(spec.name, "is declared twice; names are unique in a program");
  record.id = static_cast<std::uint32_t>(all.records.size()) + 1;
  key_record& kept = all.records.emplace_back(record);
  all.by_name.emplace(kept.spec.name, &kept);
  return kept;
}

const key_record* find_key(std::string_view name) noexcept {
  auto& all = table();
  const std::lock_guard lock(all.mutex);
  const auto place = all.by_name.find(name);
  return place == all.by_name.end() ? nullptr : place->second;
}

const key_record* find_key(std::uint32_t id) noexcept {
  auto& all = table();
  const std::lock_guard lock(all.mutex);
  return id == 0 || id > all.records.size() ? nullptr : &all.records[id - 1];
}

context_node* make_absent(context_node* parent_ref, std::uint32_t key) {
  auto* const node =
      new context_node(nullptr, nullptr, key, [](context_node* gone) noexcept { delete gone; });
  adopt_parent(*node, parent_ref);
  return node;
}

context_node* exchange_current(context_node* node) noexcept {
  return std::exchange(task_block::current().context, node);
}

context_node* capture_current() noexcept { return retain(task_block::current().context); }

}  // namespace weft::detail
