#pragma once

#include <any>
#include <concepts>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft::inline v1 {

/// Values of any copyable type by name. A plain container: not thread-safe.
class property_map {
 public:
  /// Sets the name to a value; what is convertible to std::string_view is kept as std::string.
  template <typename Value>
    requires std::copy_constructible<std::decay_t<Value>>
  void set(std::string_view name, Value&& value) {
    if constexpr (std::convertible_to<Value, std::string_view>) {
      values_.insert_or_assign(std::string(name), std::any(std::string(std::string_view(value))));
    } else {
      values_.insert_or_assign(std::string(name), std::any(std::forward<Value>(value)));
    }
  }
  /// The value, null if there is none; good until the name changes. Throws weft::error (misuse) if it has
  /// another type.
  template <typename Value>
  const Value* find(std::string_view name) const {
    const auto place = values_.find(name);
    if (place == values_.end()) return nullptr;
    const Value* const found = std::any_cast<Value>(&place->second);
    if (found == nullptr) refuse_type(name);
    return found;
  }
  /// A copy of the value; nothing if there is none. Throws as find().
  template <typename Value>
  std::optional<Value> get(std::string_view name) const {
    const Value* const found = find<Value>(name);
    return found == nullptr ? std::nullopt : std::optional<Value>(*found);
  }
  bool contains(std::string_view name) const noexcept { return values_.find(name) != values_.end(); }
  /// False: there was none.
  bool remove(std::string_view name);
  void clear() noexcept { values_.clear(); }
  /// In order.
  std::vector<std::string> names() const;

 private:
  [[noreturn]] static void refuse_type(std::string_view name);
  std::map<std::string, std::any, std::less<>> values_;
};

}  // namespace weft::inline v1
