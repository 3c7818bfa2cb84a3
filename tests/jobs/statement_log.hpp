#pragma once

#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>

// The statements that a store in SQLite runs, and how SQLite goes about them.

namespace weft::jobs {

/// The statements that connections opened while it lives run.
class statement_log {
 public:
  statement_log() {
    texts().clear();
    texts_again().clear();
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&watch));
  }
  statement_log(const statement_log&) = delete;
  statement_log& operator=(const statement_log&) = delete;
  ~statement_log() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&watch)); }

  std::set<std::string> seen() const {
    const std::lock_guard lock(mutex());
    return texts();
  }
  /// Statements that SQLite has compiled a second time.
  std::set<std::string> prepared_again() const {
    const std::lock_guard lock(mutex());
    return texts_again();
  }

 private:
  static int watch(sqlite3* database, const char**, const void*) {
    sqlite3_trace_v2(database, SQLITE_TRACE_STMT, &note, nullptr);
    return SQLITE_OK;
  }
  static int note(unsigned, void*, void* of, void*) {
    auto* const begun = static_cast<sqlite3_stmt*>(of);
    const char* const text = sqlite3_sql(begun);
    const std::lock_guard lock(mutex());
    if (text == nullptr) return 0;
    texts().insert(text);
    const bool is_again = sqlite3_stmt_status(begun, SQLITE_STMTSTATUS_REPREPARE, 1) > 0;
    // Others are, once, when a new connection has read the schema.
    if (is_again && std::string_view(text).find("weft_") != std::string_view::npos)
      texts_again().insert(text);
    return 0;
  }
  static std::mutex& mutex() {
    static std::mutex guards_texts;
    return guards_texts;
  }
  static std::set<std::string>& texts_again() {
    static std::set<std::string> all;
    return all;
  }
  static std::set<std::string>& texts() {
    static std::set<std::string> all;
    return all;
  }
};

/// Runs statements on a connection of their own; returns the texts of the last column of all rows.
inline std::vector<std::string> run_sql(const std::string& path, const std::string& sql) {
  std::vector<std::string> rows;
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  const auto add = [](void* to, int columns, char** values, char**) {
    const char* const last = values[columns - 1];
    static_cast<std::vector<std::string>*>(to)->emplace_back(last != nullptr ? last : "");
    return 0;
  };
  char* problem = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), add, &rows, &problem), SQLITE_OK)
      << (problem != nullptr ? problem : "") << " in " << sql;
  sqlite3_free(problem);
  sqlite3_close(database);
  return rows;
}

/// Rows of these are as many as there are queues, closures, limits or workers, or as jobs that run.
inline bool is_small(const std::string& table) {
  static const std::set<std::string> small{
      "weft_meta",   "weft_queue", "weft_count",   "weft_limit", "weft_handler",
      "weft_worker", "w",          "weft_running", "r",          "sqlite_schema"};
  return small.contains(table);
}

/// A statement that reads or changes jobs.
inline bool is_of_jobs(std::string_view text) {
  return text.find("weft_") != std::string_view::npos &&
         (text.starts_with("SELECT") || text.starts_with("UPDATE") || text.starts_with("DELETE") ||
          text.starts_with("INSERT"));
}

/// Does that step of a plan (EXPLAIN QUERY PLAN) look at all rows of a table that may be large?
inline bool reads_whole_table(const std::string& step) {
  return step.starts_with("SCAN ") && !step.starts_with("SCAN CONSTANT ROW") && !step.starts_with("SCAN (") &&
         !is_small(step.substr(5, step.find(' ', 5) - 5));
}

}  // namespace weft::jobs
