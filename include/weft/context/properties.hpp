#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/context/property_map.hpp>

namespace weft::inline v1 {

namespace detail {
/// The properties in force; null: none.
const property_map* current_properties() noexcept;
/// Puts others in their place until the innermost scope ends. Throws std::bad_alloc before any change.
void assign_properties(property_map changed);
}  // namespace detail

/// Context values whose names are known only at run time. They follow the work as those of keys do, within
/// the process: what is started sees them as they were then, and nothing that it does changes those of who
/// started it. A change holds until the innermost scope around it ends, or the task, as of assign().
///
/// Members act on the running task. A change copies the map: for a few names, not for data. Where the name is
/// known when the program is written, a weft::key is typed, faster, and can leave the process. A fiber's own,
/// which nobody inherits, are fiber_properties().
class task_properties {
 public:
  /// As property_map::set. Throws std::bad_alloc before any change.
  template <typename Value>
  void set(std::string_view name, Value&& value) {
    property_map changed = copy();
    changed.set(name, std::forward<Value>(value));
    detail::assign_properties(std::move(changed));
  }
  /// A copy of the value; nothing if there is none. Throws weft::error (misuse) if it has another type.
  template <typename Value>
  std::optional<Value> get(std::string_view name) const {
    const property_map* const all = detail::current_properties();
    return all == nullptr ? std::nullopt : all->get<Value>(name);
  }
  bool contains(std::string_view name) const noexcept {
    const property_map* const all = detail::current_properties();
    return all != nullptr && all->contains(name);
  }
  /// False: there was none.
  bool remove(std::string_view name);
  void clear();
  /// In order.
  std::vector<std::string> names() const { return copy().names(); }

 private:
  static property_map copy();
};

/// The properties of the running task.
inline task_properties properties() noexcept { return {}; }

}  // namespace weft::inline v1
