#include <weft/context/properties.hpp>

namespace weft {
namespace detail {
namespace {

const key<property_map>& property_key() {
  static constexpr key_spec spec{.name = "weft.properties"};
  static const key<property_map> instance{spec};
  return instance;
}

}  // namespace

void throw_property_type(std::string_view name) {
  throw error(errc::misuse, "properties: \"" + std::string(name) +
                                "\" has another type than the one asked for; ask for the type that was set");
}

const property_map* current_properties() noexcept { return property_key().find(); }

void assign_properties(property_map changed) { assign(property_key(), std::move(changed)); }

}  // namespace detail

detail::property_map task_properties::copy() {
  const auto* const all = detail::current_properties();
  return all == nullptr ? detail::property_map() : *all;
}

bool task_properties::contains(std::string_view name) const noexcept {
  const auto* const all = detail::current_properties();
  return all != nullptr && all->find(name) != all->end();
}

bool task_properties::remove(std::string_view name) {
  if (!contains(name)) return false;
  auto changed = copy();
  changed.erase(changed.find(name));
  detail::assign_properties(std::move(changed));
  return true;
}

void task_properties::clear() {
  if (detail::current_properties() != nullptr) detail::assign_properties({});
}

std::vector<std::string> task_properties::names() const {
  std::vector<std::string> found;
  if (const auto* const all = detail::current_properties()) {
    for (const auto& [name, value] : *all) found.push_back(name);
  }
  return found;
}

}  // namespace weft
