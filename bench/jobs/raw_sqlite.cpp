#include "jobs/raw_sqlite.hpp"

#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "support/measure.hpp"

namespace weft::bench {

namespace {

constexpr double slow_disk_ms = 0.5;

}  // namespace

work_folder::work_folder(folder_place at) {
  // Not /tmp, which may be memory.
  const auto around = at == folder_place::disk ? std::filesystem::current_path() : "/dev/shm";
  std::string name = around / "weft-bench-jobs-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw unavailable("no folder for a database in " + around.string());
  path_ = name;
}

work_folder::~work_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

raw_sqlite::raw_sqlite(const std::string& path) {
  if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) throw unavailable("SQLite cannot open a database");
  execute("PRAGMA journal_mode=WAL");
  execute("PRAGMA synchronous=FULL");
  execute("CREATE TABLE job (id INTEGER PRIMARY KEY, envelope BLOB)");
  sqlite3_prepare_v2(handle_, "INSERT INTO job (envelope) VALUES (zeroblob(300))", -1, &insert_, nullptr);
  sqlite3_prepare_v2(handle_, "DELETE FROM job WHERE id = (SELECT min(id) FROM job)", -1, &delete_, nullptr);
}

raw_sqlite::~raw_sqlite() {
  sqlite3_finalize(insert_);
  sqlite3_finalize(delete_);
  sqlite3_close(handle_);
}

void raw_sqlite::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    throw unavailable(sqlite3_errmsg(handle_));
}

void raw_sqlite::insert(std::size_t rows) {
  execute("PRAGMA synchronous=FULL");
  execute("BEGIN IMMEDIATE");
  for (std::size_t row = 0; row < rows; ++row) {
    sqlite3_step(insert_);
    sqlite3_reset(insert_);
  }
  execute("COMMIT");
}

void raw_sqlite::warm_up() {
  execute("PRAGMA synchronous=NORMAL");
  for (int row = 0; row < 2'000; ++row) {
    sqlite3_step(insert_);
    sqlite3_reset(insert_);
  }
}

bool raw_sqlite::take(std::size_t rows) {
  execute("PRAGMA synchronous=NORMAL");
  execute("BEGIN IMMEDIATE");
  int gone = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    sqlite3_step(delete_);
    sqlite3_reset(delete_);
    gone += sqlite3_changes(handle_);
  }
  execute("COMMIT");
  return gone > 0;
}

double fdatasync_ms() {
  const work_folder folder;
  const int file = ::open((folder.path() + "/probe").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) throw unavailable("no file to sync");
  std::vector<double> samples;
  const std::string page(4096, 'x');
  for (int round = 0; round < 50; ++round) {
    samples.push_back(1e3 * seconds([&] {
                        (void)!::write(file, page.data(), page.size());
                        ::fdatasync(file);
                      }));
  }
  ::close(file);
  return median(std::move(samples));
}

figure in_memory(figure of, std::function<void()> start) {
  of.name += ", in memory";
  of.before = [start = std::move(start)] {
    if (fdatasync_ms() <= slow_disk_ms) throw unavailable("the disk is fast enough for the row above");
    start();
  };
  return of;
}

}  // namespace weft::bench
