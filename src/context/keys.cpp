// The registry of context keys.

#include <dlfcn.h>
#include <link.h>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>

#include <weft/context/node.hpp>

#include "context/chain.hpp"

namespace weft::inline v1::detail {
namespace {

constexpr std::size_t keys_max = 4096;
constexpr std::string_view trace_key = "weft.trace";

struct key_table {
  std::mutex mutex;
  std::deque<key_record> records;                                // guarded by mutex; addresses stay
  std::map<std::string_view, key_record*, std::less<>> by_name;  // guarded by mutex
  std::string_view claimed;                                      // guarded by mutex: who is read often
};

key_table& table() {
  static key_table& instance = *new key_table;  // never destroyed: keys are used during exit
  return instance;
}

/// What key_of() finds without a key.
constexpr key_record no_key;
constinit std::array<std::atomic<const key_record*>, keys_max> by_id{&no_key};

/// The keys that have observers. It is replaced, not changed, and the former ones stay: another thread may be
/// in one.
struct observed_list {
  std::vector<const key_record*> keys;
  const observed_list* former = nullptr;
};
std::atomic<const observed_list*> newest_list{nullptr};

/// Under the lock of the table.
void add_observed(const key_record& key) {
  const observed_list* const former = newest_list.load(std::memory_order_relaxed);
  auto* const longer =
      new observed_list{former == nullptr ? std::vector<const key_record*>() : former->keys, former};
  longer->keys.push_back(&key);
  newest_list.store(longer, std::memory_order_release);
  observed_keys.fetch_or(key.mask, std::memory_order_release);
}

[[noreturn]] void refuse_key(std::string_view name, const std::string& why) {
  std::fprintf(stderr, "weft: context key \"%.*s\": %s\n", static_cast<int>(name.size()), name.data(),
               why.c_str());
  std::abort();
}

/// The key's name, and values with their destructors, are in the module that declares it: from here on
/// dlclose() leaves that module where it is.
void keep_module_of(const char* name) noexcept {
  Dl_info found{};
  void* map = nullptr;
  if (dladdr1(name, &found, &map, RTLD_DL_LINKMAP) == 0 || map == nullptr) return;
  const char* const path = static_cast<const link_map*>(map)->l_name;
  if (path == nullptr || *path == 0) return;  // the program itself
  dlopen(path, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

unsigned char hot_place(key_table& all, const key_spec& spec) {
  if (spec.name == trace_key) return hot_trace;
  if (!spec.hot) return 0;
  if (!all.claimed.empty()) {
    refuse_key(spec.name, "is declared hot, and so is \"" + std::string(all.claimed) +
                              "\"; a program may have one such key");
  }
  all.claimed = spec.name;
  return hot_claimed;
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

const key_record& register_key(key_record record) {
  const key_spec& spec = record.spec;
  if (!is_key_name(spec.name)) refuse_key(spec.name, "names are 1 to 128 characters of [a-z0-9_.-]");
  if (spec.wire != wire_policy::none && record.to_text == nullptr) {
    refuse_key(spec.name, "a key that leaves the process needs a weft::context_codec for its type");
  }
  if (spec.redact && spec.wire == wire_policy::baggage)
    refuse_key(spec.name, "a redacted key cannot be baggage");
  if (spec.flow == key_flow::local && spec.wire != wire_policy::none)
    refuse_key(spec.name, "a key that does not leave its task cannot leave the process");
  // Not under the lock: what it loads again may have keys to register.
  keep_module_of(spec.name.data());
  auto& all = table();
  const std::lock_guard lock(all.mutex);
  if (all.by_name.contains(spec.name))
    refuse_key(spec.name, "is declared twice; names are unique in a program");
  if (all.records.size() + 1 == keys_max) {
    refuse_key(spec.name, "a program may have " + std::to_string(keys_max - 1) +
                              " keys; for names known only at run time there are weft::properties()");
  }
  record.id = static_cast<std::uint16_t>(all.records.size() + 1);
  record.mask = std::uint64_t{1} << (record.id % 64);
  record.hot = hot_place(all, spec);
  const key_record& kept = all.records.emplace_back(record);
  all.by_name.emplace(kept.spec.name, &all.records.back());
  by_id[kept.id].store(&kept, std::memory_order_release);
  if (kept.observer != nullptr) add_observed(kept);
  return kept;
}

const key_record* find_key(std::string_view name) noexcept {
  auto& all = table();
  const std::lock_guard lock(all.mutex);
  const auto place = all.by_name.find(name);
  return place == all.by_name.end() ? nullptr : place->second;
}

const key_record& key_of(std::uint16_t id) noexcept { return *by_id[id].load(std::memory_order_acquire); }

const std::vector<const key_record*>& keys_with_observers() noexcept {
  return newest_list.load(std::memory_order_acquire)->keys;
}

}  // namespace weft::inline v1::detail
