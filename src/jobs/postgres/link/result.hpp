#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weft/jobs/sql.hpp>

#include "jobs/postgres/link/parameters.hpp"

struct pg_result;

namespace weft::inline v1::jobs::postgres {

/// What a statement gave: its rows, and how many it changed.
///
/// Rows and columns count from 0. A cell that is read as what it is not gives weft::error: internal for
/// another type and for an array of several dimensions, corrupt for NULL where it was not asked for. Views
/// live as long as the result. Move-only; one task at a time, but any thread.
class result {
 public:
  result() noexcept = default;
  /// Takes it over.
  explicit result(pg_result* owned) noexcept : owned_(owned) {}

  std::size_t rows() const noexcept;
  std::size_t columns() const noexcept;
  std::string_view column_name(std::size_t column) const noexcept;
  type_id column_type(std::size_t column) const noexcept;
  /// Rows that an INSERT, UPDATE, DELETE or MERGE changed, or a SELECT gave; 0 for others.
  std::int64_t affected() const noexcept;

  bool is_null(std::size_t row, std::size_t column) const noexcept;
  /// A smallint, integer, bigint or oid.
  std::int64_t integer(std::size_t row, std::size_t column) const;
  std::optional<std::int64_t> maybe_integer(std::size_t row, std::size_t column) const;
  double real(std::size_t row, std::size_t column) const;
  bool boolean(std::size_t row, std::size_t column) const;
  /// A text or its kin.
  std::string_view text(std::size_t row, std::size_t column) const;
  std::optional<std::string_view> maybe_text(std::size_t row, std::size_t column) const;
  /// A bytea.
  std::string_view bytes(std::size_t row, std::size_t column) const;
  std::optional<std::string_view> maybe_bytes(std::size_t row, std::size_t column) const;
  /// Arrays without NULLs.
  std::vector<std::int64_t> integers(std::size_t row, std::size_t column) const;
  std::vector<bool> booleans(std::size_t row, std::size_t column) const;
  /// An array of text or bytea; NULLs are empty.
  std::vector<std::optional<std::string_view>> texts(std::size_t row, std::size_t column) const;

  /// Whatever type it has: numbers, blobs and NULL as such, all else as the server writes it. Of a result in
  /// row_format::text.
  sql_value value(std::size_t row, std::size_t column) const;
  sql_rows values() const;

 private:
  struct release {
    void operator()(pg_result* owned) const noexcept;
  };
  std::string_view cell(std::size_t row, std::size_t column) const;
  std::string_view of_type(std::size_t row, std::size_t column, std::initializer_list<type_id> types) const;
  [[noreturn]] void refuse(std::size_t row, std::size_t column, std::string_view why) const;

  std::unique_ptr<pg_result, release> owned_;
};

}  // namespace weft::inline v1::jobs::postgres
