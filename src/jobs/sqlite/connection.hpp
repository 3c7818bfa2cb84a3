#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "jobs/sqlite/statement.hpp"

namespace weft::inline v1::jobs::sqlite {

/// What opening may do.
enum class file_use : unsigned char {
  prepare,   ///< make a file that is not there, and turn the log on
  existing,  ///< throw not_found, and change nothing, where there is no file with tables of weft
};

/// The writer connection to one database file, set up for jobs: write-ahead log, no checkpoints but
/// our own, none on close, no memory map. Its path is checked first, so an error says what is wrong.
///
/// One thread at a time. It must not be used in a forked child: that ends the child.
class connection {
 public:
  explicit connection(std::string path, file_use use = file_use::prepare);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection();

  sqlite3* handle() const noexcept { return handle_; }
  const std::string& path() const noexcept { return path_; }

  /// The process that opened it must be the one that uses it.
  void assert_own_process() const noexcept;

  /// Runs statements without parameters or rows; `purpose` is a literal.
  void execute(const char* sql, const char* purpose);
  /// BEGIN IMMEDIATE with the sync level for this transaction; waits for other connections at most `bound`.
  void begin(bool durable, std::chrono::milliseconds bound);
  void commit();
  /// Never throws; does nothing outside a transaction.
  void rollback() noexcept;
  bool in_transaction() const noexcept;

  /// Grows when another connection has changed the file.
  std::int64_t data_version();
  /// Pages in the write-ahead log after the last commit here.
  int wal_pages() const noexcept { return wal_pages_; }
  /// Moves what it can from the log into the database without waiting for anybody.
  void checkpoint();

 private:
  void open(file_use use);
  void expect_tables();
  void set_up();
  void use_wal();
  void close() noexcept;

  std::string path_;
  std::string to_begin_;  // purposes of the statements below, with the path
  std::string to_commit_;
  sqlite3* handle_ = nullptr;
  pid_t owner_;
  int wal_pages_ = 0;
  int sync_level_ = -1;
  std::unique_ptr<statement> data_version_;
  std::unique_ptr<statement> begin_;
  std::unique_ptr<statement> commit_;
};

}  // namespace weft::inline v1::jobs::sqlite
