#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "support/figure.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace weft::bench {

enum class folder_place : unsigned char {
  disk,    ///< the current folder's file system: fsync means the disk
  memory,  ///< /dev/shm: fsync costs nothing
};

/// A new folder there; gone with this object.
class work_folder {
 public:
  explicit work_folder(folder_place at = folder_place::disk);
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

/// The same figure with its databases in memory, which `start` makes: what the processor has to do. Only
/// where the disk is so slow that the figure says nothing of it.
figure in_memory(figure of, std::function<void()> start);

}  // namespace weft::bench
