#include "cli/log_filter.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <weft/core/error.hpp>

namespace weft::inline v1::cli {

namespace {

using wire::json_value;

const json_value* step(const json_value& in, std::string_view name) {
  if (const auto* const object = in.if_object()) return object->find(name);
  const auto* const items = in.if_list();
  std::size_t index = 0;
  if (items == nullptr) return nullptr;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), index);
  const bool is_index = read.ec == std::errc() && read.ptr == name.data() + name.size();
  return is_index && index < items->size() ? &(*items)[index] : nullptr;
}

std::optional<double> number_in(const json_value& from) {
  if (const auto* const number = from.if_number()) return *number;
  if (const auto* const integer = from.if_integer()) return static_cast<double>(*integer);
  if (const auto* const large = from.if_unsigned()) return static_cast<double>(*large);
  return std::nullopt;
}

}  // namespace

const json_value* value_at(const json_value& in, std::string_view path) {
  const json_value* at = &in;
  while (at != nullptr && !path.empty()) {
    const auto dot = std::min(path.find('.'), path.size());
    at = step(*at, path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return at;
}

std::string plain_text(const json_value& value) {
  const auto* const text = value.if_text();
  return text != nullptr ? *text : to_text(value);
}

condition::condition(std::string_view text) {
  constexpr std::array<std::string_view, 6> comparisons = {"!=", ">=", "<=", "=", ">", "<"};
  const auto at = text.find_first_of("!=<>");
  path_ = text.substr(0, at);
  if (at == std::string_view::npos) return;
  const auto rest = text.substr(at);
  const auto* const found = std::find_if(comparisons.begin(), comparisons.end(),
                                         [&](std::string_view one) { return rest.starts_with(one); });
  if (found == comparisons.end()) {
    throw error(errc::invalid_argument,
                "a condition is PATH, or PATH with =, !=, <, <=, > or >= and a value: " + std::string(text));
  }
  comparison_ = std::string(*found);
  value_ = rest.substr(found->size());
  if (comparison_ == "=" || comparison_ == "!=") return;
  const auto read = std::from_chars(value_.data(), value_.data() + value_.size(), number_);
  if (read.ec == std::errc() && read.ptr == value_.data() + value_.size()) return;
  std::string message = "a condition with ";
  message.append(comparison_).append(" compares with a number: ").append(text);
  throw error(errc::invalid_argument, message);
}

bool condition::holds(const json_value& in) const {
  const auto* const value = value_at(in, path_);
  if (comparison_ == "!=") return value == nullptr || plain_text(*value) != value_;
  if (value == nullptr) return false;
  if (comparison_.empty()) return true;
  if (comparison_ == "=") return plain_text(*value) == value_;
  const auto number = number_in(*value);
  if (!number) return false;
  if (comparison_ == ">") return *number > number_;
  if (comparison_ == ">=") return *number >= number_;
  return comparison_ == "<" ? *number < number_ : *number <= number_;
}

}  // namespace weft::inline v1::cli
