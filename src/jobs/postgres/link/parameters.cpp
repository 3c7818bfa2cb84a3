#include "jobs/postgres/link/parameters.hpp"

#include <bit>
#include <cstddef>

#include <weft/core/error.hpp>

#include "jobs/postgres/link/wire_numbers.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

constexpr std::size_t value_bytes_max = std::size_t{1} << 30U;

// An array: number of dimensions, has it NULLs, type of the elements, and for each dimension its length and
// first index; then the elements, each behind its length.
constexpr std::size_t nulls_at = 4;
constexpr std::size_t elements_at = 12;
constexpr std::uint32_t null_length = 0xffffffffU;

std::string of_number(std::uint64_t value) {
  std::string bytes;
  append_number(bytes, value);
  return bytes;
}

void refuse_above(std::size_t bytes) {
  if (bytes < value_bytes_max) return;
  throw error(errc::too_large, "jobs: PostgreSQL: a parameter of " + std::to_string(bytes) +
                                   " bytes; the limit is 1 GiB: push less at once");
}

}  // namespace

void parameters::add(type_id type, bool binary, std::optional<std::string_view> value) {
  if (value) refuse_above(value->size());
  all_.push_back({type, binary, !value, buffer_.size(), value ? value->size() : 0});
  if (value) buffer_.append(*value);
  // Text form is read as a C string.
  if (value && !binary) buffer_.push_back('\0');
}

parameters& parameters::bigint(std::optional<std::int64_t> value) {
  add(type_id::bigint, true,
      value ? std::optional(of_number(static_cast<std::uint64_t>(*value))) : std::nullopt);
  return *this;
}

parameters& parameters::text(std::optional<std::string_view> value) {
  add(type_id::text, true, value);
  return *this;
}

parameters& parameters::bytes(std::optional<std::string_view> value) {
  add(type_id::bytea, true, value);
  return *this;
}

parameters& parameters::boolean(std::optional<bool> value) {
  using namespace std::string_view_literals;
  add(type_id::boolean, true, value ? std::optional(*value ? "\1"sv : "\0"sv) : std::nullopt);
  return *this;
}

parameters& parameters::real(std::optional<double> value) {
  add(type_id::double_precision, true,
      value ? std::optional(of_number(std::bit_cast<std::uint64_t>(*value))) : std::nullopt);
  return *this;
}

parameters& parameters::untyped(std::optional<std::string_view> value) {
  if (value && value->find('\0') != std::string_view::npos) {
    throw error(
        errc::invalid_argument,
        "jobs: PostgreSQL: a text parameter has a byte of value 0, which text cannot hold; use bytes");
  }
  add(type_id::unknown, false, value);
  return *this;
}

void parameters::begin_array(type_id type, type_id element) {
  all_.push_back({type, true, false, buffer_.size(), 0});
  elements_ = 0;
  has_nulls_ = false;
  append_number<std::uint32_t>(buffer_, 1);  // dimensions
  append_number<std::uint32_t>(buffer_, 0);  // set by end_array, as the length
  append_number(buffer_, static_cast<std::uint32_t>(element));
  append_number<std::uint32_t>(buffer_, 0);
  append_number<std::uint32_t>(buffer_, 1);  // index of the first
}

void parameters::add_null() {
  append_number(buffer_, null_length);
  has_nulls_ = true;
  ++elements_;
}

void parameters::add_bigint(std::optional<std::int64_t> value) {
  if (!value) return add_null();
  append_number<std::uint32_t>(buffer_, sizeof(*value));
  append_number(buffer_, static_cast<std::uint64_t>(*value));
  ++elements_;
}

void parameters::add_real(std::optional<double> value) {
  if (!value) return add_null();
  append_number<std::uint32_t>(buffer_, sizeof(*value));
  append_number(buffer_, std::bit_cast<std::uint64_t>(*value));
  ++elements_;
}

void parameters::add_boolean(std::optional<bool> value) {
  if (!value) return add_null();
  append_number<std::uint32_t>(buffer_, 1);
  buffer_.push_back(*value ? '\1' : '\0');
  ++elements_;
}

void parameters::add_bytes(std::optional<std::string_view> value) {
  if (!value) return add_null();
  refuse_above(value->size());
  append_number(buffer_, static_cast<std::uint32_t>(value->size()));
  buffer_.append(*value);
  ++elements_;
}

parameters& parameters::end_array() {
  place& array = all_.back();
  char* const head = buffer_.data() + array.offset;
  if (elements_ == 0) {  // has no dimension
    store_number<std::uint32_t>(head, 0);
    buffer_.resize(array.offset + elements_at);
  } else {
    store_number<std::uint32_t>(head + nulls_at, has_nulls_ ? 1 : 0);
    store_number<std::uint32_t>(head + elements_at, elements_);
  }
  array.length = buffer_.size() - array.offset;
  refuse_above(array.length);
  return *this;
}

void parameters::clear() noexcept {
  all_.clear();
  buffer_.clear();
}

}  // namespace weft::inline v1::jobs::postgres
