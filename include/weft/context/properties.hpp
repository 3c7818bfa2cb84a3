#pragma once

#include <any>
#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/core/error.hpp>

namespace weft {

namespace detail {
using property_map = std::map<std::string, std::any, std::less<>>;
/// Throws weft::error (misuse): the property is there, with another type.
[[noreturn]] void throw_property_type(std::string_view name);

template <typename Value>
const Value* find_property(const property_map& in, std::string_view name) {
  const auto place = in.find(name);
  if (place == in.end()) return nullptr;
  const Value* const found = std::any_cast<Value>(&place->second);
  if (found == nullptr) throw_property_type(name);
  return found;
}

/// The properties in force; null: none.
const property_map* current_properties() noexcept;
/// Those in force, changed, until the innermost scope ends. Throws std::bad_alloc before any change.
void assign_properties(property_map changed);
}  // namespace detail

/// Context values whose names are known only at run time. They follow the work as those of keys do, within
/// the process: what is started sees them as they were then, and nothing that it does changes those of who
/// started it. A change holds until the innermost scope around it ends, or the task, as of assign().
///
/// Members act on the running task. A change copies the map: for a few names, not for data. Where the name is
/// known when the program is written, a weft::key is typed, faster, and can leave the process.
class task_properties {
 public:
  /// Binds the name; a std::string for text, whose literals become one.
  template <typename Value>
    requires std::copy_constructible<std::decay_t<Value>>
  void set(std::string_view name, Value&& value) {
    auto changed = copy();
    if constexpr (std::convertible_to<Value, std::string_view>) {
      changed.insert_or_assign(std::string(name), std::any(std::string(std::string_view(value))));
    } else {
      changed.insert_or_assign(std::string(name), std::any(std::forward<Value>(value)));
    }
    detail::assign_properties(std::move(changed));
  }
  /// The value; nothing if there is none. Throws weft::error (misuse) if it has another type.
  template <typename Value>
  std::optional<Value> get(std::string_view name) const {
    const auto* const all = detail::current_properties();
    const Value* const found = all == nullptr ? nullptr : detail::find_property<Value>(*all, name);
    return found == nullptr ? std::nullopt : std::optional<Value>(*found);
  }
  bool contains(std::string_view name) const noexcept;
  /// False: there was none.
  bool remove(std::string_view name);
  void clear();
  /// In order.
  std::vector<std::string> names() const;

 private:
  static detail::property_map copy();
};

/// The properties of the running task.
inline task_properties properties() noexcept { return {}; }

}  // namespace weft
