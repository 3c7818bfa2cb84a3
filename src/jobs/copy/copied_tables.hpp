#pragma once

#include <array>
#include <span>

namespace weft::inline v1::jobs {

enum class copied_type : unsigned char {
  number,
  flag,
  text,
  bytes,
  queue,      ///< its number, another one in each database
  closure,    ///< the same
  job_flags,  ///< a number, but for the flag that SQLite alone has
};

struct copied_column {
  const char* name;
  copied_type type;
};

/// What is copied from one table, or what is one in another kind of database.
struct copied_table {
  const char* name;
  std::span<const copied_column> columns;
  const char* conflict = "";            ///< what a row that is there makes of an INSERT
  const char* sqlite_from = nullptr;    ///< in the place of the name, to read it
  const char* postgres_from = nullptr;  ///< the same
  /// In the place of an INSERT of all columns; its parameters are these.
  std::array<const char*, 2> sqlite_writes = {};
};

/// "weft_queue" and "weft_handler" with their numbers, to be read; and without, to be written.
extern const copied_table queue_numbers;
extern const copied_table closure_numbers;
extern const copied_table queue_names;
extern const copied_table closure_names;

/// All but those, and but what follows from others: counts, and which closures a queue has.
std::span<const copied_table> copied_tables() noexcept;

/// Flags of a job that SQLite has and PostgreSQL has not: others wait for it.
inline constexpr int flag_of_sqlite = 2;

}  // namespace weft::inline v1::jobs
