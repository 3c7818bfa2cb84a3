#include <cmath>
#include <limits>

#include <weft/codec/codec.hpp>
#include <weft/core/error.hpp>

namespace weft::inline v1 {
namespace detail {

std::int64_t decode_signed(decoder& in, std::int64_t min, std::int64_t max) {
  const std::int64_t value = in.integer();
  if (value < min || value > max) {
    in.fail("out of range: " + std::to_string(value) + " is not in " + std::to_string(min) + ".." +
            std::to_string(max));
  }
  return value;
}

std::uint64_t decode_unsigned(decoder& in, std::uint64_t max) {
  const std::uint64_t value = in.unsigned_integer();
  if (value > max) in.fail("out of range: " + std::to_string(value) + " is not in 0.." + std::to_string(max));
  return value;
}

float decode_float(decoder& in) {
  const double value = in.number();
  const bool in_range = std::fabs(value) <= std::numeric_limits<float>::max();
  const float narrow = in_range ? static_cast<float>(value) : 0;
  if (static_cast<double>(narrow) != value)
    in.fail("this number does not fit a float without loss; use double");
  return narrow;
}

void expect_item(decoder& in, std::size_t index, std::size_t size) {
  if (in.next_item()) return;
  in.fail("expected a list of " + std::to_string(size) + ", found one of " + std::to_string(index));
}

void expect_end_of_list(decoder& in, std::size_t size) {
  if (in.next_item()) in.fail("expected a list of " + std::to_string(size) + ", found a longer one");
}

void throw_no_nanoseconds() {
  throw error(errc::invalid_argument,
              "encode: this duration or time does not fit 64 bits of nanoseconds (about 292 years)");
}

void throw_not_whole(decoder& in, std::intmax_t numerator, std::intmax_t denominator) {
  in.fail("not a whole number of ticks of " + std::to_string(numerator) + "/" + std::to_string(denominator) +
          " s");
}

void throw_unnamed_value(std::int64_t value) {
  throw error(errc::invalid_argument, "encode: the value " + std::to_string(value) +
                                          " of an enumeration has no name; add it to its WEFT_DESCRIBE_ENUM");
}

void throw_unknown_name(decoder& in, std::string_view name) {
  in.fail("\"" + std::string(name.substr(0, 64)) + "\" is not a name of this enumeration");
}

member_decoder::member_decoder(decoder& in, bool missing_is_default)
    : in_(in), missing_is_default_(missing_is_default) {
  in_.begin_object();
}

bool member_decoder::next() {
  if (at_end_) return false;
  if (!found_) in_.skip();
  index_ = 0;
  found_ = false;
  at_end_ = !in_.next_member(name_);
  return true;
}

bool member_decoder::matches(const char* name, bool may_miss) {
  if (index_ == 64)
    throw error(errc::misuse, "decode: a described struct has more than 64 members; nest some");
  const std::uint64_t bit = std::uint64_t{1} << index_++;
  if (at_end_) {
    if ((seen_ & bit) == 0 && !may_miss && !missing_is_default_) in_.fail_member(name, "missing");
    return false;
  }
  if (found_ || name_ != name) return false;
  found_ = true;
  seen_ |= bit;
  return true;
}

}  // namespace detail

void codec<errc>::encode(encoder& out, errc value) { out.text(to_string(value)); }

void codec<errc>::decode(decoder& in, errc& into) { into = errc_from_string(in.text()); }

void codec<errc>::schema(schema_writer& out) { out.write("errc"); }

}  // namespace weft::inline v1
