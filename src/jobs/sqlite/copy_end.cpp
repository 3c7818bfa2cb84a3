#include "jobs/sqlite/copy_end.hpp"

#include <vector>

#include "jobs/sqlite/schema.hpp"

namespace weft::inline v1::jobs::sqlite {
namespace {

constexpr std::chrono::milliseconds copy_lock_bound{10'000};

/// How a row is written.
std::vector<std::string> writes_of(const copied_table& table) {
  std::vector<std::string> writes;
  for (const char* const one : table.sqlite_writes) {
    if (one != nullptr) writes.emplace_back(one);
  }
  if (!writes.empty()) return writes;
  std::string columns;
  std::string places;
  for (const auto& one : table.columns) {
    columns += (columns.empty() ? "" : ", ") + std::string(one.name);
    places += places.empty() ? "?" : ",?";
  }
  return {"INSERT INTO " + std::string(table.name) + " (" + columns + ") VALUES (" + places + ")" +
          table.conflict};
}

}  // namespace

copy_end::copy_end(const std::string& path, copy_side side)
    : connection_(path, file_use::existing), lock_(path), held_(lock_, copy_lock_bound) {
  expect_current(connection_);
  connection_.begin(side == copy_side::target, copy_lock_bound);
}

copy_end::~copy_end() { connection_.rollback(); }

void copy_end::read(const copied_table& from, const std::function<void(sql_rows& rows)>& page) {
  statement query(connection_.handle(), select_of(from, from.sqlite_from), "read a table for a copy");
  sql_rows rows;
  const auto give = [&] {
    if (!rows.empty()) page(rows);
    rows.clear();
  };
  while (query.step()) {
    sql_row& row = rows.emplace_back();
    for (int column = 0; column < query.columns(); ++column) row.push_back(query.value(column));
    if (rows.size() == copied_at_once) give();
  }
  give();
}

void copy_end::write(const copied_table& to, const sql_rows& rows) {
  for (const auto& sql : writes_of(to)) {
    statement insert(connection_.handle(), sql, "write a table of a copy");
    for (const auto& row : rows) {
      insert.reset();
      for (const auto& value : row) insert.bind_value(value);
      insert.run();
    }
  }
}

std::int64_t copy_end::count(const copied_table& of) {
  statement query(connection_.handle(), "SELECT count(*) FROM (" + select_of(of, of.sqlite_from) + ")",
                  "count the rows of a copy");
  return query.step() ? query.integer(0) : 0;
}

sql_rows copy_end::counts() {
  statement query(connection_.handle(), counts_query, "count the jobs of a copy");
  sql_rows rows;
  while (query.step()) rows.push_back({query.value(0), query.value(1), query.value(2)});
  return rows;
}

void copy_end::complete() {
  constexpr const char* purpose = "complete a copy";
  connection_.execute(forget_counts, purpose);
  connection_.execute(make_counts, purpose);
  connection_.execute(
      "UPDATE weft_limit SET jobs = counted.jobs FROM (SELECT limit_id, count(*) AS jobs FROM weft_job WHERE "
      "limit_id > 0 GROUP BY limit_id) AS counted WHERE counted.limit_id = weft_limit.id",
      purpose);
  for (const char* const table :
       {"weft_ready", "weft_scheduled", "weft_blocked", "weft_running", "weft_dead"}) {
    const std::string mark = std::string("UPDATE ") + table + " SET flags = flags | " +
                             std::to_string(flag_of_sqlite) +
                             " WHERE id IN (SELECT parent FROM weft_dependency)";
    connection_.execute(mark.c_str(), purpose);
  }
}

void copy_end::commit() {
  connection_.commit();
  connection_.checkpoint();
}

}  // namespace weft::inline v1::jobs::sqlite
