#include "jobs/sqlite/connection.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <sqlite3.h>
#include <unistd.h>

#include "jobs/sqlite/error.hpp"
#include "jobs/sqlite/file_check.hpp"

namespace weft::inline v1::jobs::sqlite {
namespace {

constexpr int sync_normal = 1;
constexpr int sync_full = 2;

/// Over its file size limit, or with a reader gone, a write must fail and not end the process.
void ignore_where_default(int signal_number) noexcept {
  struct sigaction now {};
  if (::sigaction(signal_number, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) return;
  now.sa_handler = SIG_IGN;
  ::sigaction(signal_number, &now, nullptr);
}

/// Its first statements name no file.
[[noreturn]] void throw_not_opened(const error& failed, const std::string& path) {
  constexpr std::string_view component = "jobs: ";
  std::string_view why = failed.message();
  if (why.starts_with(component)) why.remove_prefix(component.size());
  throw error(failed.code(), "jobs: open the database \"" + path + "\": " + std::string(why));
}

int remember_wal_pages(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

}  // namespace

connection::connection(std::string path, file_use use)
    : path_(std::move(path)),
      to_begin_("begin a transaction in \"" + path_ + '"'),
      to_commit_("commit in \"" + path_ + '"'),
      owner_(::getpid()) {
  ignore_where_default(SIGXFSZ);
  ignore_where_default(SIGPIPE);
  check_place(path_, use == file_use::existing);
  try {
    open(use);
    if (use == file_use::existing) expect_tables();
    set_up();
  } catch (...) {
    close();
    throw;
  }
}

connection::~connection() {
  // In a forked child the parent's locks must not be touched: leave everything as it is.
  if (::getpid() != owner_) return;
  close();
}

void connection::close() noexcept {
  data_version_.reset();
  begin_.reset();
  commit_.reset();
  sqlite3_close_v2(handle_);
}

void connection::assert_own_process() const noexcept {
  if (::getpid() == owner_) return;
  std::fprintf(
      stderr,
      "weft: jobs: the database \"%s\" was opened before fork and used after it; open it in the child\n",
      path_.c_str());
  std::abort();
}

void connection::open(file_use use) {
  const int make = use == file_use::prepare ? SQLITE_OPEN_CREATE : 0;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | make;
  const std::string tried = "jobs: open the database \"" + path_ + "\"";
  const int code = sqlite3_open_v2(path_.c_str(), &handle_, flags, nullptr);
  if (code != SQLITE_OK) throw_error(handle_, code, tried);
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, 5000);  // from the first look on: another process may just be opening it, too
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);  // also where nothing may change
  if (sqlite3_db_readonly(handle_, "main") == 1) {
    throw error(errc::refused, tried + ": it is read-only here; make the file and its file system writable");
  }
}

// Before anything is changed: the log mode is kept in the file, and this one may be somebody else's.
void connection::expect_tables() {
  try {
    statement query(handle_, "SELECT 1 FROM sqlite_schema WHERE name = 'weft_meta'", "look for tables");
    if (query.step()) return;
  } catch (const error& failed) {
    throw_not_opened(failed, path_);
  }
  throw error(errc::not_found, "jobs: open the database \"" + path_ +
                                   "\": it has no tables of weft; give the path of a database with jobs");
}

void connection::set_up() {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, nullptr);
  // Else what is compared with the term of a partial index is compiled again for each value.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_QPSG, 1, nullptr);
  use_wal();
  execute("PRAGMA wal_autocheckpoint=0", "turn automatic checkpoints off");
  execute("PRAGMA mmap_size=0", "turn the memory map off");
  execute("PRAGMA foreign_keys=ON", "turn foreign keys on");
  int persist = 1;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
  sqlite3_wal_hook(handle_, remember_wal_pages, &wal_pages_);
  data_version_ = std::make_unique<statement>(handle_, "PRAGMA data_version", "look for changes");
  begin_ = std::make_unique<statement>(handle_, "BEGIN IMMEDIATE", to_begin_.c_str());
  commit_ = std::make_unique<statement>(handle_, "COMMIT", to_commit_.c_str());
}

void connection::use_wal() {
  std::string mode;
  try {
    statement query(handle_, "PRAGMA journal_mode=WAL", "turn the write-ahead log on");
    if (query.step()) mode = query.text(0);
  } catch (const error& failed) {
    throw_not_opened(failed, path_);
  }
  if (mode == "wal") return;
  throw error(errc::unsupported, "jobs: open the database \"" + path_ +
                                     "\": its file system cannot hold a write-ahead log" +
                                     " (journal mode stays \"" + mode + "\"); use a local disk");
}

void connection::execute(const char* sql, const char* purpose) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK)
    throw_error(handle_, code, std::string("jobs: ") + purpose + " in \"" + path_ + "\"");
}

void connection::begin(bool durable, std::chrono::milliseconds bound) {
#ifdef WEFT_BUG_9  // no sync of a commit
  durable = false;
#endif
  const int level = durable ? sync_full : sync_normal;
  if (level != sync_level_) {
    execute(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", "set the sync level");
    sync_level_ = level;
  }
  sqlite3_busy_timeout(handle_, static_cast<int>(bound.count()));
  begin_->reset().run();
}

void connection::commit() { commit_->reset().run(); }

void connection::rollback() noexcept {
  if (in_transaction()) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

bool connection::in_transaction() const noexcept { return sqlite3_get_autocommit(handle_) == 0; }

std::int64_t connection::data_version() {
  data_version_->reset();
  const std::int64_t version = data_version_->step() ? data_version_->integer(0) : 0;
  data_version_->reset();
  return version;
}

void connection::checkpoint() {
  const int code = sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code != SQLITE_OK && code != SQLITE_BUSY)
    throw_error(handle_, code, "jobs: checkpoint \"" + path_ + "\"");
}

}  // namespace weft::inline v1::jobs::sqlite
