#include <weft/context/context.hpp>

#include <algorithm>
#include <set>

namespace weft {

missing_context_key::missing_context_key(std::string_view name)
    : error(errc::not_found, "context: no value for key \"" + std::string(name) +
                                 "\" here; bind it with weft::scoped_value, or read it with find()") {}

std::vector<context::entry> context::log_entries() const {
  std::vector<entry> found;
  std::set<std::uint32_t> seen;
  for (const detail::context_node* node = node_; node != nullptr; node = node->parent) {
    if (node->key_id == 0 || !seen.insert(node->key_id).second || node->value == nullptr) continue;
    const detail::key_record* const key = detail::find_key(node->key_id);
    if (!key->spec.log || key->to_text == nullptr) continue;
    found.push_back({std::string(key->spec.name), key->spec.redact ? "***" : key->to_text(node->value)});
  }
  std::sort(found.begin(), found.end(), [](const entry& a, const entry& b) { return a.name < b.name; });
  return found;
}

}  // namespace weft
