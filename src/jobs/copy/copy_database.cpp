#include <memory>
#include <unordered_map>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/jobs/maintenance.hpp>
#include <weft/jobs/store.hpp>

#include "core/counted.hpp"
#include "jobs/copy/copy_end.hpp"
#include "jobs/database_url.hpp"
#ifndef WEFT_WITHOUT_POSTGRES
#include "jobs/postgres/copy_end.hpp"
#endif
#include "jobs/sqlite/copy_end.hpp"

// A copy goes table by table, as the tables are much the same in each kind of database; only numbers of
// queues and closures are others in each. All is read in one transaction, which keeps changes out, and
// written in one: what was broken off has left nothing, and is begun again.

namespace weft::inline v1::jobs {
namespace {

std::unique_ptr<copy_end> open_end(const std::string& url, copy_side side) {
  switch (kind_of_url(url)) {
    case database_kind::sqlite:
      return std::make_unique<sqlite::copy_end>(path_of_url(url), side);
    case database_kind::postgres:
#ifndef WEFT_WITHOUT_POSTGRES
      return std::make_unique<postgres::copy_end>(url, side);
#endif
    case database_kind::memory:
      break;
  }
  throw error(errc::unsupported,
              "jobs: copy a database: memory: is none; name two of sqlite: or postgres://");
}

using numbers = std::unordered_map<std::int64_t, std::int64_t>;

std::int64_t number_in(const sql_value& value) { return std::get<std::int64_t>(value); }

class copying {
 public:
  copying(copy_end& from, copy_end& to) : from_(from), to_(to) {}

  void refuse_workers() const {
    const std::int64_t workers = from_.count(*table_named("weft_worker"));
    if (workers == 0) return;
    fail(errc::refused,
         counted(workers, "worker uses", "workers use") + ' ' + from_.shown() +
             "; stop them, or say that they have died (--workers-are-dead): what they hold is run "
             "again from the copy");
  }
  void require_empty() const {
    for (const char* const name : {"weft_job", "weft_unique", "weft_limit", "weft_schedule", "weft_worker"}) {
      if (to_.count(*table_named(name)) == 0) continue;
      fail(errc::already_exists, to_.shown() + " has jobs, schedules or workers; name a new database");
    }
  }
  copy_report copy() {
    queues_ = copy_names(queue_numbers, queue_names);
    closures_ = copy_names(closure_numbers, closure_names);
    for (const auto& table : copied_tables()) copy_table(table);
    to_.complete();
    return verified();
  }

 private:
  [[noreturn]] void fail(errc why, const std::string& what) const {
    throw error(why, "jobs: copy " + from_.shown() + " to " + to_.shown() + ": " + what);
  }
  static const copied_table* table_named(std::string_view name) {
    const copied_table* found = nullptr;
    for (const auto& one : copied_tables()) {
      if (one.name == name) found = &one;
    }
    return found;
  }
  void copy_table(const copied_table& table) {
    try {
      from_.read(table, [&](sql_rows& rows) {
        translate(table, rows);
        to_.write(table, rows);
      });
    } catch (const error& failed) {
      fail(failed.code(), std::string("the table ") + table.name + ": " + std::string(failed.message()));
    }
  }
  std::unordered_map<std::string, std::int64_t> numbers_in(copy_end& end, const copied_table& of) {
    std::unordered_map<std::string, std::int64_t> known;
    end.read(of, [&](sql_rows& rows) {
      for (auto& row : rows) known.emplace(std::get<std::string>(row[1]), number_in(row[0]));
    });
    return known;
  }
  numbers copy_names(const copied_table& with_numbers, const copied_table& without) {
    from_.read(with_numbers, [&](sql_rows& rows) {
      for (auto& row : rows) row.erase(row.begin());
      to_.write(without, rows);
    });
    const auto there = numbers_in(to_, with_numbers);
    numbers translated;
    for (const auto& [name, number] : numbers_in(from_, with_numbers)) {
      translated.emplace(number, there.at(name));
    }
    return translated;
  }
  std::int64_t translated(const numbers& by, const copied_table& in, const sql_value& value) const {
    const auto found = by.find(number_in(value));
    if (found != by.end()) return found->second;
    fail(errc::corrupt, std::string("a row of ") + in.name +
                            " names a queue or closure that is not there; `weft db check` says more");
  }
  void translate(const copied_table& table, sql_rows& rows) const {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const copied_type type = table.columns[i].type;
      for (auto& row : rows) {
        if (type == copied_type::queue) row[i] = translated(queues_, table, row[i]);
        if (type == copied_type::closure) row[i] = translated(closures_, table, row[i]);
        if (type == copied_type::job_flags) row[i] = number_in(row[i]) & ~std::int64_t{flag_of_sqlite};
      }
    }
  }
  copy_report verified() {
    copy_report report{.from = from_.shown(), .to = to_.shown()};
    for (const auto& table : copied_tables()) {
      const std::int64_t read = from_.count(table);
      const std::int64_t written = to_.count(table);
      if (read != written) {
        fail(errc::internal, std::string(table.name) + " has " + std::to_string(read) + " rows there, and " +
                                 std::to_string(written) + " here; nothing was kept");
      }
      const std::string_view name = table.name;
      if (name == "weft_job") report.jobs = read;
      if (name == "weft_schedule") report.schedules = read;
      if (name == "weft_worker") report.workers = read;
    }
    if (from_.counts() != to_.counts()) {
      fail(errc::internal, "the numbers of jobs by queue and state differ; nothing was kept");
    }
    return report;
  }

  copy_end& from_;
  copy_end& to_;
  numbers queues_;
  numbers closures_;
};

}  // namespace

copy_report copy_database(const std::string& from, const std::string& to, const copy_options& options) {
  if (from == to) throw error(errc::invalid_argument, "jobs: copy a database: to itself; name another one");
  const auto source = open_end(from, copy_side::source);
  if (kind_of_url(to) != database_kind::memory) (void)open_store(to);  // makes what lacks
  const auto target = open_end(to, copy_side::target);
  copying work(*source, *target);
  if (!options.workers_are_dead) work.refuse_workers();
  work.require_empty();
  copy_report done = work.copy();
  target->commit();
  return done;
}

}  // namespace weft::inline v1::jobs
