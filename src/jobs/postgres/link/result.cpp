#include "jobs/postgres/link/result.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

#include <libpq-fe.h>

#include <weft/core/error.hpp>

#include "jobs/postgres/link/wire_numbers.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

/// The elements of an array of one dimension, or of none.
class array_reader {
 public:
  explicit array_reader(std::string_view bytes) : left_(bytes) {
    const std::uint32_t dimensions = number();
    number();  // are there NULLs?
    number();  // type of the elements
    if (dimensions == 0) return;
    count_ = number();
    number();  // index of the first
    if (dimensions != 1) bad_ = true;
  }
  bool is_bad() const noexcept { return bad_; }
  std::uint32_t count() const noexcept { return bad_ ? 0 : count_; }
  std::optional<std::string_view> next() {
    const std::uint32_t length = number();
    if (length == 0xffffffffU) return std::nullopt;
    if (length > left_.size()) {
      bad_ = true;
      return std::nullopt;
    }
    const std::string_view one = left_.substr(0, length);
    left_.remove_prefix(length);
    return one;
  }

 private:
  std::uint32_t number() {
    if (left_.size() < sizeof(std::uint32_t)) {
      bad_ = true;
      return 0;
    }
    const auto value = load_number<std::uint32_t>(left_.data());
    left_.remove_prefix(sizeof(std::uint32_t));
    return value;
  }
  std::string_view left_;
  std::uint32_t count_ = 0;
  bool bad_ = false;
};

std::int64_t read_text_integer(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::optional<std::int64_t> read_binary_integer(std::string_view bytes) {
  switch (bytes.size()) {
    case 2:
      return static_cast<std::int16_t>(load_number<std::uint16_t>(bytes.data()));
    case 4:
      return static_cast<std::int32_t>(load_number<std::uint32_t>(bytes.data()));
    case 8:
      return static_cast<std::int64_t>(load_number<std::uint64_t>(bytes.data()));
    default:
      return std::nullopt;
  }
}

double read_text_real(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

int digit_of(char hex) noexcept {
  return hex >= 'a' ? hex - 'a' + 10 : hex >= 'A' ? hex - 'A' + 10 : hex - '0';
}

/// Of `\x0a1b`, the form that every supported server writes.
std::string read_hex(std::string_view text) {
  std::string bytes;
  text.remove_prefix(std::min<std::size_t>(2, text.size()));
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<char>(digit_of(text[i]) * 16 + digit_of(text[i + 1])));
  }
  return bytes;
}

}  // namespace

void result::release::operator()(pg_result* owned) const noexcept { PQclear(owned); }

std::size_t result::rows() const noexcept { return static_cast<std::size_t>(PQntuples(owned_.get())); }
std::size_t result::columns() const noexcept { return static_cast<std::size_t>(PQnfields(owned_.get())); }

std::string_view result::column_name(std::size_t column) const noexcept {
  const char* const name = PQfname(owned_.get(), static_cast<int>(column));
  return name != nullptr ? name : "";
}

type_id result::column_type(std::size_t column) const noexcept {
  return static_cast<type_id>(PQftype(owned_.get(), static_cast<int>(column)));
}

std::int64_t result::affected() const noexcept {
  return owned_ ? read_text_integer(PQcmdTuples(owned_.get())) : 0;
}

bool result::is_null(std::size_t row, std::size_t column) const noexcept {
  return PQgetisnull(owned_.get(), static_cast<int>(row), static_cast<int>(column)) != 0;
}

void result::refuse(std::size_t row, std::size_t column, std::string_view why) const {
  throw error(errc::internal, "jobs: PostgreSQL: row " + std::to_string(row) + ", column \"" +
                                  std::string(column_name(column)) + "\" (type " +
                                  std::to_string(static_cast<unsigned int>(column_type(column))) + ") " +
                                  std::string(why));
}

std::string_view result::cell(std::size_t row, std::size_t column) const {
  if (row >= rows() || column >= columns()) {
    throw error(errc::internal, "jobs: PostgreSQL: row " + std::to_string(row) + ", column " +
                                    std::to_string(column) + " of a result with " + std::to_string(rows()) +
                                    " rows and " + std::to_string(columns()) + " columns");
  }
  if (is_null(row, column)) {
    throw error(errc::corrupt, "jobs: PostgreSQL: row " + std::to_string(row) + ", column \"" +
                                   std::string(column_name(column)) + "\" is NULL");
  }
  return {
      PQgetvalue(owned_.get(), static_cast<int>(row), static_cast<int>(column)),
      static_cast<std::size_t>(PQgetlength(owned_.get(), static_cast<int>(row), static_cast<int>(column)))};
}

std::string_view result::of_type(std::size_t row, std::size_t column,
                                 std::initializer_list<type_id> types) const {
  const std::string_view bytes = cell(row, column);
  if (std::ranges::find(types, column_type(column)) == types.end()) refuse(row, column, "has another type");
  if (PQfformat(owned_.get(), static_cast<int>(column)) != 1)
    refuse(row, column, "came as text; use value()");
  return bytes;
}

std::int64_t result::integer(std::size_t row, std::size_t column) const {
  const auto bytes =
      of_type(row, column, {type_id::bigint, type_id::integer, type_id::smallint, type_id::oid});
  const auto value = read_binary_integer(bytes);
  if (!value) refuse(row, column, "has an odd length");
  return *value;
}

std::optional<std::int64_t> result::maybe_integer(std::size_t row, std::size_t column) const {
  if (is_null(row, column)) return std::nullopt;
  return integer(row, column);
}

double result::real(std::size_t row, std::size_t column) const {
  const auto bytes = of_type(row, column, {type_id::double_precision});
  return std::bit_cast<double>(load_number<std::uint64_t>(bytes.data()));
}

bool result::boolean(std::size_t row, std::size_t column) const {
  return of_type(row, column, {type_id::boolean}) == std::string_view("\1", 1);
}

std::string_view result::text(std::size_t row, std::size_t column) const {
  return of_type(row, column, {type_id::text});
}

std::optional<std::string_view> result::maybe_text(std::size_t row, std::size_t column) const {
  if (is_null(row, column)) return std::nullopt;
  return text(row, column);
}

std::string_view result::bytes(std::size_t row, std::size_t column) const {
  return of_type(row, column, {type_id::bytea});
}

std::optional<std::string_view> result::maybe_bytes(std::size_t row, std::size_t column) const {
  if (is_null(row, column)) return std::nullopt;
  return bytes(row, column);
}

std::vector<std::int64_t> result::integers(std::size_t row, std::size_t column) const {
  array_reader elements(of_type(row, column, {type_id::bigint_array, type_id::integer_array}));
  std::vector<std::int64_t> all;
  all.reserve(elements.count());
  for (std::uint32_t i = 0, count = elements.count(); i < count; ++i) {
    const auto one = elements.next();
    const auto value = one ? read_binary_integer(*one) : std::nullopt;
    if (!value) refuse(row, column, "has an element that is NULL or odd");
    all.push_back(*value);
  }
  if (elements.is_bad()) refuse(row, column, "is no array of one dimension");
  return all;
}

std::vector<bool> result::booleans(std::size_t row, std::size_t column) const {
  array_reader elements(of_type(row, column, {type_id::boolean_array}));
  std::vector<bool> all;
  for (std::uint32_t i = 0, count = elements.count(); i < count; ++i) {
    const auto one = elements.next();
    if (!one || one->size() != 1) refuse(row, column, "has an element that is NULL or odd");
    all.push_back(one->front() != '\0');
  }
  if (elements.is_bad()) refuse(row, column, "is no array of one dimension");
  return all;
}

std::vector<std::optional<std::string_view>> result::texts(std::size_t row, std::size_t column) const {
  array_reader elements(of_type(row, column, {type_id::text_array, type_id::bytea_array}));
  std::vector<std::optional<std::string_view>> all;
  all.reserve(elements.count());
  for (std::uint32_t i = 0, count = elements.count(); i < count; ++i) all.push_back(elements.next());
  if (elements.is_bad()) refuse(row, column, "is no array of one dimension");
  return all;
}

sql_value result::value(std::size_t row, std::size_t column) const {
  if (row < rows() && column < columns() && is_null(row, column)) return std::monostate{};
  const std::string_view text = cell(row, column);
  if (PQfformat(owned_.get(), static_cast<int>(column)) != 0) refuse(row, column, "did not come as text");
  switch (column_type(column)) {
    case type_id::smallint:
    case type_id::integer:
    case type_id::bigint:
    case type_id::oid:
      return read_text_integer(text);
    case type_id::boolean:
      return std::int64_t{text == "t" ? 1 : 0};
    case type_id::real:
    case type_id::double_precision:
      return read_text_real(text);
    case type_id::bytea:
      return sql_bytes{read_hex(text)};
    default:
      return std::string(text);
  }
}

sql_rows result::values() const {
  sql_rows all(rows());
  for (std::size_t row = 0; row < all.size(); ++row) {
    for (std::size_t column = 0; column < columns(); ++column) all[row].push_back(value(row, column));
  }
  return all;
}

}  // namespace weft::inline v1::jobs::postgres
