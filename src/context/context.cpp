#include <weft/context/context.hpp>

#include <algorithm>

namespace weft::inline v1 {

missing_context_key::missing_context_key(std::string_view name)
    : error(errc::not_found, "context: no value for key \"" + std::string(name) +
                                 "\" here; bind it with weft::scoped_value, or read it with find()") {}

std::vector<context::entry> context::log_entries() const {
  std::vector<entry> found;
  if (node_ == nullptr || node_->hot[detail::hot_log - 1] == nullptr) return found;
  // Above the nearest binding for logs there is no other.
  const auto* const from = static_cast<const detail::context_node*>(node_->hot[detail::hot_log - 1]);
  for (const auto& one : detail::bindings_in_force(from)) {
    if (!one.key->spec.log || one.key->to_text == nullptr) continue;
    found.push_back(
        {std::string(one.key->spec.name), one.key->spec.redact ? "***" : one.key->to_text(one.value)});
  }
  std::sort(found.begin(), found.end(), [](const entry& a, const entry& b) { return a.name < b.name; });
  return found;
}

context_statistics get_context_statistics() noexcept {
  return {.scopes_misnested = detail::scopes_misnested.load(std::memory_order_relaxed),
          .wire_entries_dropped = detail::wire_entries_dropped.load(std::memory_order_relaxed),
          .wire_values_unreadable = detail::wire_values_unreadable.load(std::memory_order_relaxed)};
}

}  // namespace weft::inline v1
