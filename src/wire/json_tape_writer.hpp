#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>

#include "wire/json_tape.hpp"

namespace weft::inline v1::wire::detail {

namespace json = boost::json;

/// The handler of boost::json::basic_parser. Boost's own doubles are not rounded correctly (in 1.81), so they
/// are made again from their digits.
class tape_writer {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t max_array_size = max_object_size;
  static constexpr std::size_t max_key_size = max_object_size;
  static constexpr std::size_t max_string_size = max_object_size;

  explicit tape_writer(json_tape& out) : out_(&out) {}

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_array_begin(json::error_code&) { return open(value_kind::list); }
  bool on_array_end(std::size_t count, json::error_code&) { return close(count); }
  bool on_object_begin(json::error_code&) { return open(value_kind::object); }
  bool on_object_end(std::size_t count, json::error_code&) { return close(count); }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) { return add_text(part); }
  bool on_string(json::string_view part, std::size_t size, json::error_code&) { return end_text(part, size); }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return add_text(part); }
  bool on_key(json::string_view part, std::size_t size, json::error_code&) { return end_text(part, size); }

  bool on_number_part(json::string_view part, json::error_code&) {
    digits_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t value, json::string_view, json::error_code&) {
    digits_.clear();
    return add(value_kind::integer, static_cast<std::uint64_t>(value));
  }
  bool on_uint64(std::uint64_t value, json::string_view, json::error_code&) {
    digits_.clear();
    return add(value_kind::unsigned_integer, value);
  }
  bool on_double(double, json::string_view rest, json::error_code& ec) {
    digits_.append(rest.data(), rest.size());
    if (digits_.find_first_of(".eE") == std::string::npos) return add_long_integer();
    double value = 0;
    bool fits = read_double(digits_, value);
    if (!fits && out_->keeps_huge()) {
      value = digits_.front() == '-' ? -std::numeric_limits<double>::infinity()
                                     : std::numeric_limits<double>::infinity();
      fits = true;
    }
    digits_.clear();
    if (fits) return add(value_kind::number, std::bit_cast<std::uint64_t>(value));
    ec = json::error::exponent_overflow;
    return false;
  }
  bool on_bool(bool value, json::error_code&) { return add(value_kind::boolean, value ? 1 : 0); }
  bool on_null(json::error_code&) { return add(value_kind::null, 0); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  bool add(value_kind kind, std::uint64_t value, std::size_t length = 0) {
    out_->add(kind, value, length);
    return true;
  }
  bool open(value_kind kind) {
    open_.push_back(out_->size());
    return add(kind, 0);
  }
  bool close(std::size_t count) {
    out_->set_length(open_.back(), count);
    open_.pop_back();
    return true;
  }
  // More than 64 bits hold: its digits are kept for those who want them all.
  bool add_long_integer() {
    const std::size_t begin = out_->texts().size();
    out_->texts() += digits_;
    const std::size_t length = digits_.size();
    digits_.clear();
    return add(value_kind::number, begin, length);
  }
  bool add_text(json::string_view part) {
    out_->texts().append(part.data(), part.size());
    return true;
  }
  bool end_text(json::string_view part, std::size_t size) {
    add_text(part);
    return add(value_kind::text, out_->texts().size() - size, size);
  }

  json_tape* out_;
  std::vector<std::size_t> open_;  // nodes of the lists and objects that are open
  std::string digits_;
};

}  // namespace weft::inline v1::wire::detail
