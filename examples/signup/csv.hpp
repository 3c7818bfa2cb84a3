#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace signup {

/// One record of a CSV text.
struct csv_record {
  std::size_t line = 0;  ///< where it begins, from 1
  std::vector<std::string> fields;
};

/// The records of a text in the form of RFC 4180: fields may be quoted, quotes are doubled, quoted
/// fields may hold commas and line breaks. Bytes are kept as they are. Throws weft::error (malformed)
/// with the line for a quote that is not closed or that is followed by other text.
std::vector<csv_record> read_csv(std::string_view text);

}  // namespace signup
