#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <weft/jobs/sql.hpp>

#include "jobs/copy/copied_tables.hpp"

namespace weft::inline v1::jobs {

/// So many rows are in memory at a time.
inline constexpr std::size_t copied_at_once = 200;

/// A database that a copy reads from, or writes to: in one transaction, which nobody changes anything beside.
/// It is undone when the object ends, unless commit() was called.
///
/// Numbers and flags are integers. One task at a time.
class copy_end {
 public:
  copy_end() = default;
  copy_end(const copy_end&) = delete;
  copy_end& operator=(const copy_end&) = delete;
  virtual ~copy_end() = default;

  /// For people.
  virtual std::string shown() const = 0;
  /// Calls `page` with all rows, some at a time. It may take them.
  virtual void read(const copied_table& from, const std::function<void(sql_rows& rows)>& page) = 0;
  virtual void write(const copied_table& to, const sql_rows& rows) = 0;
  virtual std::int64_t count(const copied_table& of) = 0;
  /// How many jobs of each queue are in each state: name, state, number, in an order.
  virtual sql_rows counts() = 0;
  /// Makes what follows from the tables that were written.
  virtual void complete() = 0;
  virtual void commit() = 0;
};

enum class copy_side : unsigned char { source, target };

/// `SELECT` of all columns, in their order.
std::string select_of(const copied_table& table, const char* from);

/// The states of all jobs, as counts() tells of them.
extern const char* const counts_query;
/// Statements that make weft_count anew.
extern const char* const forget_counts;
extern const char* const make_counts;

}  // namespace weft::inline v1::jobs
