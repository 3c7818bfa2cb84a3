#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace weft::inline v1::jobs {

/// A blob, to tell it from text.
struct sql_bytes {
  std::string data;
  bool operator==(const sql_bytes&) const = default;
};

/// A value of a statement: NULL, integer, real, text or blob.
using sql_value = std::variant<std::monostate, std::int64_t, double, std::string, sql_bytes>;
using sql_row = std::vector<sql_value>;
using sql_rows = std::vector<sql_row>;

namespace detail {

// Not inline: a std::variant would be compiled wherever this header is read.
sql_value integer_to_sql(std::int64_t value);
template <std::integral Number>
sql_value to_sql(Number value) {
  return integer_to_sql(static_cast<std::int64_t>(value));
}
sql_value to_sql(double value);
sql_value to_sql(std::string value);
sql_value to_sql(std::string_view value);
sql_value to_sql(const char* value);
sql_value to_sql(sql_bytes value);
sql_value to_sql(std::nullptr_t);
sql_value to_sql(sql_value value);
template <typename Value>
sql_value to_sql(const std::optional<Value>& value) {
  return value ? to_sql(*value) : sql_value{};
}

}  // namespace detail

}  // namespace weft::inline v1::jobs
