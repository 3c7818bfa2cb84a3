#pragma once

#include <optional>
#include <string_view>

namespace weft::inline v1::http {

/// One element of an Accept, Accept-Encoding or Accept-Language field (RFC 9110, 12.4.2 and 12.5): views into
/// it.
struct accepted_value {
  std::string_view value;  ///< "text/plain", "gzip", "*"; in the case in which it came
  std::string_view
      parameters;      ///< between the value and the weight: "version=1.0.0; charset=utf-8"; or empty
  int quality = 1000;  ///< the weight in thousandths; 0: not wanted at all

  /// The parameter of that name, without regard to its case and without its quotes; nothing without one.
  std::optional<std::string_view> parameter(std::string_view name) const noexcept;
};

/// Takes the first well-formed element off `list`; malformed ones before it are left out. Nothing at the end.
///
///     while (auto one = weft::http::next_accepted(list)) use(one->value, one->quality);
std::optional<accepted_value> next_accepted(std::string_view& list) noexcept;

}  // namespace weft::inline v1::http
