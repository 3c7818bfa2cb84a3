#include <weft/context/properties.hpp>

#include <weft/core/error.hpp>

namespace weft::inline v1 {

bool property_map::remove(std::string_view name) {
  const auto place = values_.find(name);
  if (place == values_.end()) return false;
  values_.erase(place);
  return true;
}

std::vector<std::string> property_map::names() const {
  std::vector<std::string> found;
  for (const auto& [name, value] : values_) found.push_back(name);
  return found;
}

void property_map::refuse_type(std::string_view name) {
  throw error(errc::misuse, "properties: \"" + std::string(name) +
                                "\" has another type than the one asked for; ask for the type that was set");
}

namespace detail {
namespace {

const key<property_map>& property_key() {
  static constexpr key_spec spec{.name = "weft.properties"};
  static const key<property_map> instance{spec};
  return instance;
}

}  // namespace

const property_map* current_properties() noexcept { return property_key().find(); }

void assign_properties(property_map changed) { assign(property_key(), std::move(changed)); }

}  // namespace detail

property_map task_properties::copy() {
  const property_map* const all = detail::current_properties();
  return all == nullptr ? property_map() : *all;
}

bool task_properties::remove(std::string_view name) {
  if (!contains(name)) return false;
  property_map changed = copy();
  changed.remove(name);
  detail::assign_properties(std::move(changed));
  return true;
}

void task_properties::clear() {
  if (detail::current_properties() != nullptr) detail::assign_properties({});
}

}  // namespace weft::inline v1
