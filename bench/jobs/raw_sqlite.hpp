#pragma once

#include <cstddef>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace weft::bench {

/// A folder in the build tree's file system, so that fsync means the disk; gone with this object.
class work_folder {
 public:
  work_folder();
  work_folder(const work_folder&) = delete;
  work_folder& operator=(const work_folder&) = delete;
  ~work_folder();
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

/// One table of SQLite in WAL mode with synchronous=FULL and nothing around it.
class raw_sqlite {
 public:
  explicit raw_sqlite(const std::string& path);
  raw_sqlite(const raw_sqlite&) = delete;
  raw_sqlite& operator=(const raw_sqlite&) = delete;
  ~raw_sqlite();

  /// Inserts `rows` rows of 300 bytes in one transaction.
  void insert(std::size_t rows);
  /// Makes its log as long as it gets, so that later syncs need not make the file longer: on most file
  /// systems that is ten times as slow.
  void warm_up();
  /// Takes up to `rows` of the oldest rows away in one transaction that does not wait for the disk; false:
  /// empty.
  bool take(std::size_t rows);

 private:
  void execute(const char* sql);

  sqlite3* handle_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* delete_ = nullptr;
};

/// Milliseconds of the middle one of 50 small appends with fdatasync.
double fdatasync_ms();

}  // namespace weft::bench
