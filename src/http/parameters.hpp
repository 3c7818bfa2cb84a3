#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::inline v1::http::detail {

/// A header value of the form `form-data; name="a b"; size=7`.
struct parameterized {
  std::string_view value;  ///< may be empty
  std::vector<std::pair<std::string_view, std::string>> parameters;

  /// The value of that parameter, whose name compares without regard to case; null without one.
  const std::string* find(std::string_view name) const noexcept;
};

/// Nothing where it is not well formed, has two parameters of one name, or more than 16. Parameters without a
/// value are taken as empty. In a quoted value \" and \\ stand for the second byte; any other backslash is
/// one, as browsers send paths of Windows.
std::optional<parameterized> parse_parameters(std::string_view text);

}  // namespace weft::inline v1::http::detail
