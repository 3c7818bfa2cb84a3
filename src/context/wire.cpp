// The bytes of a context on its way to another process; docs/formats/context.md.

#include <algorithm>
#include <exception>

#include <weft/context/context.hpp>
#include <weft/context/wire_values.hpp>

namespace weft::inline v1 {
namespace {

constexpr std::string_view magic = "WCTX";
constexpr unsigned char version = 1;
constexpr std::size_t entries_max = 64;
constexpr std::size_t bytes_max = 8192;
constexpr std::size_t header_bytes = 4 + 1 + 1;
constexpr std::size_t entry_overhead = 1 + 1 + 2;

struct wire_entry {
  std::string name;
  wire_policy policy;
  int priority;
  std::string value;
  std::size_t bytes() const { return entry_overhead + name.size() + value.size(); }
};

/// What came with names this program does not know; handed on as it is.
const key<std::vector<wire_entry>>& foreign() {
  static const key_spec spec{.name = "weft.foreign"};
  static const key<std::vector<wire_entry>> instance{spec};
  return instance;
}

std::vector<wire_entry> collect(const context& from, wire_policy hop) {
  std::vector<wire_entry> found;
  for (const auto& one : detail::bindings_in_force(from.node())) {
    const key_spec& spec = one.key->spec;
    if (spec.wire < hop || one.key->to_text == nullptr) continue;
    found.push_back({std::string(spec.name), spec.wire, spec.wire_priority, one.key->to_text(one.value)});
  }
  if (const auto* others = from.find(foreign())) {
    for (const auto& other : *others) {
      const auto is_same = [&](const wire_entry& own) { return own.name == other.name; };
      if (other.policy < hop || std::any_of(found.begin(), found.end(), is_same)) continue;
      found.push_back(other);
    }
  }
  return found;
}

void drop_what_does_not_fit(std::vector<wire_entry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const wire_entry& a, const wire_entry& b) {
    return a.priority != b.priority ? a.priority > b.priority : a.name < b.name;
  });
  std::size_t total = header_bytes;
  std::vector<wire_entry> kept;
  for (auto& entry : entries) {
    if (kept.size() == entries_max || total + entry.bytes() > bytes_max) {
      detail::wire_entries_dropped.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    total += entry.bytes();
    kept.push_back(std::move(entry));
  }
  std::sort(kept.begin(), kept.end(),
            [](const wire_entry& a, const wire_entry& b) { return a.name < b.name; });
  entries = std::move(kept);
}

[[noreturn]] void malformed(const char* why) {
  throw error(errc::malformed, std::string("context: read wire form: ") + why);
}

class reader {
 public:
  explicit reader(std::string_view bytes) : left_(bytes) {}
  std::string_view take(std::size_t count) {
    if (left_.size() < count) malformed("it ends too early");
    const auto taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }
  std::size_t number(std::size_t bytes) {
    std::size_t value = 0;
    for (const char c : take(bytes)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  bool at_end() const { return left_.empty(); }

 private:
  std::string_view left_;
};

wire_entry read_entry(reader& from) {
  wire_entry entry;
  entry.name = from.take(from.number(1));
  if (!detail::is_key_name(entry.name)) malformed("a name is not 1 to 128 characters of [a-z0-9_.-]");
  const std::size_t policy = from.number(1);
  if (policy < static_cast<std::size_t>(wire_policy::worker) ||
      policy > static_cast<std::size_t>(wire_policy::baggage)) {
    malformed("unknown travel policy");
  }
  entry.policy = static_cast<wire_policy>(policy);
  entry.priority = 0;
  entry.value = from.take(from.number(2));
  return entry;
}

std::vector<wire_entry> read_entries(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (bytes.size() > bytes_max) malformed("it is longer than 8192 bytes");
  reader from(bytes);
  if (from.take(magic.size()) != magic) malformed("it does not begin with WCTX");
  if (from.number(1) != version) malformed("its version is not 1");
  std::vector<wire_entry> all;
  for (std::size_t left = from.number(1); left > 0; --left) {
    auto one = read_entry(from);
    if (one.name <= (all.empty() ? std::string() : all.back().name)) malformed("its names are not in order");
    all.push_back(std::move(one));
  }
  if (!from.at_end()) malformed("bytes follow the last entry");
  return all;
}

}  // namespace

std::vector<wire_value> wire_values(std::string_view bytes) {
  std::vector<wire_value> all;
  for (auto& one : read_entries(bytes)) {
    const detail::key_record* const known = detail::find_key(one.name);
    const bool is_public = one.policy == wire_policy::baggage || (known != nullptr && !known->spec.redact);
    all.push_back({std::move(one.name), std::move(one.value), one.policy, !is_public});
  }
  return all;
}

namespace detail {
std::atomic<std::uint64_t> wire_entries_dropped{0};
std::atomic<std::uint64_t> wire_values_unreadable{0};

context_node* bind_text(context_node* below_ref, const key_record& key, std::string_view text) noexcept {
  try {
    if (context_node* const bound = key.from_text == nullptr ? nullptr : key.from_text(key, text)) {
      context_node* const longer = extend(below_ref, bound);
      release(below_ref);
      return longer;
    }
  } catch (const std::exception&) {
    // A codec that throws could not read the text.
  }
  wire_values_unreadable.fetch_add(1, std::memory_order_relaxed);
  return below_ref;
}
}  // namespace detail

std::string context::to_wire(wire_policy hop) const {
  auto entries = collect(*this, std::max(hop, wire_policy::worker));
  drop_what_does_not_fit(entries);
  std::string bytes(magic);
  bytes.push_back(static_cast<char>(version));
  bytes.push_back(static_cast<char>(entries.size()));
  for (const auto& one : entries) {
    bytes.push_back(static_cast<char>(one.name.size()));
    bytes += one.name;
    bytes.push_back(static_cast<char>(one.policy));
    bytes.push_back(static_cast<char>(one.value.size() >> 8));
    bytes.push_back(static_cast<char>(one.value.size() & 0xff));
    bytes += one.value;
  }
  return bytes;
}

context context::from_wire(std::string_view bytes) {
  context made;
  std::vector<wire_entry> unknown;
  for (auto& one : read_entries(bytes)) {
    const detail::key_record* const known = detail::find_key(one.name);
    if (known == nullptr || known->spec.wire == wire_policy::none) {
      unknown.push_back(std::move(one));
    } else {
      made.node_ = detail::bind_text(made.node_, *known, one.value);
    }
  }
  return unknown.empty() ? made : made.with(foreign(), std::move(unknown));
}

}  // namespace weft::inline v1
