#include "jobs/slow_disk.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include <sqlite3.h>

#include "support/figure.hpp"

// A VFS of SQLite that is the usual one, but for the xSync of its files. Files are those of the usual one
// too; only their table of functions is another.

namespace weft::bench {

namespace {

using clock = std::chrono::steady_clock;

sqlite3_vfs usual{};
sqlite3_vfs slow{};
std::atomic<std::int64_t> sync_ns{0};
std::mutex tables_mutex;
/// The slow table for each table of the usual VFS; those of open files have to stay.
std::map<const sqlite3_io_methods*, std::unique_ptr<sqlite3_io_methods>> tables;
std::map<const sqlite3_io_methods*, const sqlite3_io_methods*> originals;

const sqlite3_io_methods* usual_of(const sqlite3_io_methods* table) {
  const std::lock_guard lock(tables_mutex);
  return originals.at(table);
}

int sync_slowly(sqlite3_file* file, int flags) {
  const auto until = clock::now() + std::chrono::nanoseconds(sync_ns.load());
  const int code = usual_of(file->pMethods)->xSync(file, flags);
  std::this_thread::sleep_until(until);
  return code;
}

const sqlite3_io_methods* slow_table_for(const sqlite3_io_methods* table) {
  const std::lock_guard lock(tables_mutex);
  auto& made = tables[table];
  if (!made) {
    made = std::make_unique<sqlite3_io_methods>(*table);
    made->xSync = sync_slowly;
    originals[made.get()] = table;
  }
  return made.get();
}

int open_slow(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
  sqlite3_vfs* const real = sqlite3_vfs_find(usual.zName);
  const int code = real->xOpen(real, name, file, flags, out_flags);
  if (code == SQLITE_OK && file->pMethods != nullptr) file->pMethods = slow_table_for(file->pMethods);
  return code;
}

}  // namespace

slow_disk::slow_disk(int syncs_a_second) {
  sqlite3_vfs* const real = sqlite3_vfs_find(nullptr);
  if (real == nullptr) throw unavailable("SQLite has no VFS");
  usual = *real;
  slow = usual;
  slow.zName = "weft-bench-slow";
  slow.pNext = nullptr;
  slow.xOpen = open_slow;
  sync_ns.store(1'000'000'000 / syncs_a_second);
  if (sqlite3_vfs_register(&slow, 1) != SQLITE_OK) throw unavailable("SQLite takes no VFS");
}

slow_disk::~slow_disk() {
  sqlite3_vfs_unregister(&slow);
  sqlite3_vfs_register(sqlite3_vfs_find(usual.zName), 1);
}

}  // namespace weft::bench
