#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <weft/metrics/description.hpp>

namespace weft::inline v1::metrics::detail {

/// Throws weft::error (invalid_argument) where a rule of `description` is broken: says which, and a name that
/// would do where that is plain.
void check_description(kind what_kind, const description& what);
/// Throws weft::error (invalid_argument) unless there are 1 to buckets_max finite, ascending bounds.
void check_bounds(const description& what, const std::vector<double>& bounds);

/// The name without the `_total` of a counter: what must be unique in an exporter's page.
std::string_view base_name(std::string_view name) noexcept;

}  // namespace weft::inline v1::metrics::detail
