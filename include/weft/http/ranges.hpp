#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <weft/http/conditional.hpp>

namespace weft::inline v1::http {

struct byte_range {
  std::uint64_t first = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const byte_range&, const byte_range&) = default;
};

enum class range_outcome : unsigned char {
  whole,          ///< 200: no range is asked for, or none that is worth looking at
  partial,        ///< 206
  unsatisfiable,  ///< 416
};

struct chosen_ranges {
  range_outcome outcome = range_outcome::whole;
  std::vector<byte_range> ranges = {};  ///< for partial: at least one, in the order of the request
};

/// What of `size` bytes a value of Range asks for. Given are all of them where it is malformed, of another
/// unit than bytes, asks for more than `ranges_max` ranges, or for more bytes in all than there are:
/// overlapping ranges would multiply the work.
chosen_ranges parse_ranges(std::string_view range, std::uint64_t size, std::size_t ranges_max = 16);

/// The same for a request: Range counts for GET only, and not where If-Range names another state than `now`.
chosen_ranges choose_ranges(const request& in, const validators& now, std::uint64_t size,
                            std::size_t ranges_max = 16);

}  // namespace weft::inline v1::http
