#include "jobs/postgres/copy_end.hpp"

#include <array>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>

#include "jobs/postgres/migrate.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

using optional_number = std::optional<std::int64_t>;
using optional_text = std::optional<std::string_view>;

sql_value cell(const result& rows, std::size_t row, std::size_t column, copied_type type) {
  if (rows.is_null(row, column)) return {};
  switch (type) {
    case copied_type::flag:
      return std::int64_t{rows.boolean(row, column)};
    case copied_type::text:
      return std::string(rows.text(row, column));
    case copied_type::bytes:
      return sql_bytes{std::string(rows.bytes(row, column))};
    default:
      return rows.integer(row, column);
  }
}

sql_rows cells(const result& from, const copied_table& table) {
  sql_rows rows(from.rows());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
      rows[row].push_back(cell(from, row, column, table.columns[column].type));
    }
  }
  return rows;
}

/// The values of a column as an array.
void add_column(parameters& to, const sql_rows& rows, std::size_t column, copied_type type) {
  const auto value_of = [column](const sql_row& row) -> const sql_value& { return row[column]; };
  switch (type) {
    case copied_type::text:
      to.texts(rows, [&](const sql_row& row) -> optional_text {
        const auto* const text = std::get_if<std::string>(&value_of(row));
        return text != nullptr ? optional_text(*text) : std::nullopt;
      });
      return;
    case copied_type::bytes:
      to.byte_arrays(rows, [&](const sql_row& row) -> optional_text {
        const auto* const bytes = std::get_if<sql_bytes>(&value_of(row));
        return bytes != nullptr ? optional_text(bytes->data) : std::nullopt;
      });
      return;
    default:
      to.bigints(rows, [&](const sql_row& row) -> optional_number {
        const auto* const number = std::get_if<std::int64_t>(&value_of(row));
        return number != nullptr ? optional_number(*number) : std::nullopt;
      });
  }
}

std::string insert_of(const copied_table& table) {
  std::string columns;
  std::string values;
  std::string arrays;
  for (const auto& one : table.columns) {
    for (std::string* const list : {&columns, &values, &arrays}) {
      if (!list->empty()) list->append(", ");
    }
    columns.append(one.name);
    values.append("a.").append(one.name).append(one.type == copied_type::flag ? " <> 0" : "");
    arrays.append("$").append(std::to_string(&one - table.columns.data() + 1));
  }
  return "INSERT INTO " + std::string(table.name) + " (" + columns + ") SELECT " + values + " FROM unnest(" +
         arrays + ") a (" + columns + ")" + table.conflict;
}

}  // namespace

copy_end::copy_end(const std::string& url, copy_side side) : address_(url), thread_("weft-copy") {
  const bool reads = side == copy_side::source;
  std::string all;
  for (const auto& one : copied_tables()) all += (all.empty() ? "" : ", ") + std::string(one.name);
  // The lock comes before the snapshot: what is read is what the lock keeps.
  const std::string lock = "LOCK TABLE " + all + " IN " + (reads ? "SHARE" : "EXCLUSIVE") + " MODE";
  const call_options once{.prepare = false};
  const std::array begin{statement{reads ? "BEGIN ISOLATION LEVEL REPEATABLE READ" : "BEGIN", nullptr, once},
                         statement{"SET LOCAL search_path = weft, pg_temp", nullptr, once},
                         statement{"SET LOCAL lock_timeout = '10s'", nullptr, once},
                         statement{lock, nullptr, once}};
  thread_.call([&] {
    auto made = connection::open(address_);
    expect_current(*made);
    made->run_all(begin);
    connection_ = std::move(made);
  });
}

// The end of its session undoes what was not committed.
copy_end::~copy_end() {
  try {
    shield([&] { thread_.call([&] { connection_.reset(); }); });
  } catch (const error&) {  // the thread has no room for one more fiber; it ends the session with itself
  }
}

result copy_end::run(const std::string& sql, const parameters& with) {
  return thread_.call([&] { return connection_->run(sql, with, {.prepare = false}); });
}

void copy_end::read(const copied_table& from, const std::function<void(sql_rows& rows)>& page) {
  run("DECLARE weft_copy NO SCROLL CURSOR FOR " + select_of(from, from.postgres_from));
  const std::string next = "FETCH " + std::to_string(copied_at_once) + " FROM weft_copy";
  for (;;) {
    sql_rows rows = cells(run(next), from);
    const bool is_last = rows.size() < copied_at_once;
    if (!rows.empty()) page(rows);
    if (is_last) break;
  }
  run("CLOSE weft_copy");
}

void copy_end::write(const copied_table& to, const sql_rows& rows) {
  parameters with;
  for (std::size_t column = 0; column < to.columns.size(); ++column) {
    add_column(with, rows, column, to.columns[column].type);
  }
  run(insert_of(to), with);
}

std::int64_t copy_end::count(const copied_table& of) {
  return run("SELECT count(*) FROM (" + select_of(of, of.postgres_from) + ") counted").integer(0, 0);
}

sql_rows copy_end::counts() {
  const result rows = run(counts_query);
  sql_rows all;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    all.push_back({std::string(rows.text(row, 0)), rows.integer(row, 1), rows.integer(row, 2)});
  }
  return all;
}

void copy_end::complete() {
  run("INSERT INTO weft_line SELECT DISTINCT queue, handler FROM weft_job ON CONFLICT DO NOTHING");
  run(forget_counts);
  run(make_counts);
}

void copy_end::commit() { run("COMMIT"); }

}  // namespace weft::inline v1::jobs::postgres
