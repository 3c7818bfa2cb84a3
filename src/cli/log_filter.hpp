#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <weft/wire/json_value.hpp>

namespace weft::inline v1::cli {

/// The value at a path such as `data.user` or `logs.0.2`; null where there is none.
const wire::json_value* value_at(const wire::json_value& in, std::string_view path);

/// A value as it is compared and counted: a text as it is, others as JSON.
std::string plain_text(const wire::json_value& value);

/// A condition: `data.user=alice`, `end>0.5`, `data.user!=bob`, `data.error` (it is there). `=` and `!=`
/// compare as text, the others compare numbers.
class condition {
 public:
  /// Throws weft::error (invalid_argument) for one that compares with no number.
  explicit condition(std::string_view text);
  bool holds(const wire::json_value& in) const;

 private:
  std::string path_;
  std::string comparison_;  // empty: the value is there
  std::string value_;
  double number_ = 0;
};

}  // namespace weft::inline v1::cli
