#pragma once

#include <string>
#include <string_view>

namespace weft::inline v1::metrics::detail {

/// `value` as a label may have it: at most label_value_bytes_max bytes, cut between characters, and each
/// byte that is not part of well-formed UTF-8 a `?`. One bad byte would spoil a whole page of an exporter.
std::string clean_label_value(std::string_view value);

}  // namespace weft::inline v1::metrics::detail
