#include "wire/json_tape.hpp"

#include <algorithm>
#include <charconv>

#include <weft/core/error.hpp>

#include "wire/json_deep_parser.hpp"
#include "wire/json_tape_writer.hpp"
#include "wire/json_text.hpp"

namespace weft::inline v1::wire::detail {

namespace {

// Is the number of these digits, which are not all zero, below 1?
bool is_below_one(std::string_view digits) {
  const auto exponent_at = std::min(digits.find_first_of("eE"), digits.size());
  const auto mantissa = digits.substr(0, exponent_at);
  const auto point = std::min(mantissa.find('.'), mantissa.size());
  const auto first = mantissa.find_first_of("123456789");
  // Where the first digit that counts stands: 0.01 has -1, 0.1 has 0, 1 has 1.
  auto magnitude = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  if (first > point) ++magnitude;
  std::int64_t exponent = 0;
  if (exponent_at + 1 < digits.size()) {
    const auto written = digits.substr(exponent_at + (digits[exponent_at + 1] == '+' ? 2 : 1));
    const auto read = std::from_chars(written.data(), written.data() + written.size(), exponent);
    if (read.ec == std::errc::result_out_of_range) return written.front() == '-';
  }
  return exponent < -magnitude + 1;
}

}  // namespace

bool read_double(std::string_view digits, double& into) {
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), into);
  if (read.ec == std::errc()) return true;
  if (!is_below_one(digits)) return false;
  into = 0;
  return true;
}

std::string_view json_tape::text_at(std::size_t index) const noexcept {
  const auto& at = nodes_[index];
  return std::string_view(texts_).substr(at.value, at.length);
}

void json_tape::add(value_kind kind, std::uint64_t value, std::size_t length) {
  if (nodes_.size() == nodes_max_) {
    throw error(errc::too_large,
                "decode: a JSON text has more than " + std::to_string(nodes_max_) +
                    " values and names, which would need far more memory than its bytes; send it in parts");
  }
  nodes_.push_back({kind, static_cast<std::uint32_t>(length), value});
}

void json_tape::set_length(std::size_t index, std::size_t length) noexcept {
  nodes_[index].length = static_cast<std::uint32_t>(length);
}

// Boost.JSON checks and splits the text, by recursion.
void json_tape::read(std::string_view text, std::size_t depth_max) {
  if (depth_max > codec_depth_max && depth_of(text) > codec_depth_max) {
    parse_deep(text, depth_max, *this);
    return;
  }
  json::parse_options options;
  options.max_depth = depth_max;
  json::basic_parser<tape_writer> parser(options, *this);
  json::error_code ec;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
  if (ec) throw_not_json(text, read, ec.message());
  if (read != text.size()) throw_not_json(text, read, "something follows the value");
}

}  // namespace weft::inline v1::wire::detail
