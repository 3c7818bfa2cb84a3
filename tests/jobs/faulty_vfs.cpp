#include "jobs/faulty_vfs.hpp"

#include <atomic>
#include <csignal>
#include <cstring>
#include <new>

#include <sqlite3.h>
#include <unistd.h>

namespace weft::inline v1::jobs {
namespace {

std::atomic<fault> kind_now{fault::write_error};
std::atomic<std::int64_t> calls_left{0};
std::atomic<bool> is_held{true};
sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs shim_vfs;

/// SQLite's handle, with the real one behind it in the same memory.
struct shim_file {
  sqlite3_file base;
  sqlite3_file* real;
};
sqlite3_file* real_of(sqlite3_file* file) { return reinterpret_cast<shim_file*>(file)->real; }

enum class call : unsigned char { write, sync, lock };

bool concerns(fault kind, call made) {
  switch (kind) {
    case fault::write_error:
    case fault::full:
      return made == call::write;
    case fault::sync_error:
      return made == call::sync;
    case fault::busy:
      return made == call::lock;
    case fault::death:
      return true;
  }
  return false;
}

int code_of(fault kind) {
  switch (kind) {
    case fault::full:
      return SQLITE_FULL;
    case fault::sync_error:
      return SQLITE_IOERR_FSYNC;
    case fault::busy:
      return SQLITE_BUSY;
    default:
      return SQLITE_IOERR_WRITE;
  }
}

/// SQLITE_OK, or what this call is to fail with.
int strike(call made) {
  const fault kind = kind_now;
  if (is_held || !concerns(kind, made) || calls_left <= 0) return SQLITE_OK;
  if (calls_left.fetch_sub(1) != 1) return SQLITE_OK;
  if (kind == fault::death) ::kill(::getpid(), SIGKILL);
  return code_of(kind);
}

int close_file(sqlite3_file* file) { return real_of(file)->pMethods->xClose(real_of(file)); }
int read_file(sqlite3_file* file, void* into, int count, sqlite3_int64 at) {
  return real_of(file)->pMethods->xRead(real_of(file), into, count, at);
}
int write_file(sqlite3_file* file, const void* from, int count, sqlite3_int64 at) {
  const int failed = strike(call::write);
  return failed != SQLITE_OK ? failed : real_of(file)->pMethods->xWrite(real_of(file), from, count, at);
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  const int failed = strike(call::write);
  return failed != SQLITE_OK ? failed : real_of(file)->pMethods->xTruncate(real_of(file), size);
}
int sync_file(sqlite3_file* file, int flags) {
  const int failed = strike(call::sync);
  return failed != SQLITE_OK ? failed : real_of(file)->pMethods->xSync(real_of(file), flags);
}
int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  return real_of(file)->pMethods->xFileSize(real_of(file), size);
}
int lock_file(sqlite3_file* file, int level) {
  const int failed = strike(call::lock);
  return failed != SQLITE_OK ? failed : real_of(file)->pMethods->xLock(real_of(file), level);
}
int unlock_file(sqlite3_file* file, int level) {
  return real_of(file)->pMethods->xUnlock(real_of(file), level);
}
int check_lock(sqlite3_file* file, int* result) {
  return real_of(file)->pMethods->xCheckReservedLock(real_of(file), result);
}
int control_file(sqlite3_file* file, int what, void* with) {
  return real_of(file)->pMethods->xFileControl(real_of(file), what, with);
}
int sector_size(sqlite3_file* file) { return real_of(file)->pMethods->xSectorSize(real_of(file)); }
int characteristics(sqlite3_file* file) {
  return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** at) {
  return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, at);
}
int lock_shared(sqlite3_file* file, int first, int count, int flags) {
  const int failed = (flags & SQLITE_SHM_LOCK) != 0 ? strike(call::lock) : SQLITE_OK;
  return failed != SQLITE_OK ? failed : real_of(file)->pMethods->xShmLock(real_of(file), first, count, flags);
}
void barrier_shared(sqlite3_file* file) { real_of(file)->pMethods->xShmBarrier(real_of(file)); }
int unmap_shared(sqlite3_file* file, int remove) {
  return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

sqlite3_io_methods make_methods() {
  sqlite3_io_methods methods{};
  methods.iVersion = 2;  // without memory maps
  methods.xClose = close_file;
  methods.xRead = read_file;
  methods.xWrite = write_file;
  methods.xTruncate = truncate_file;
  methods.xSync = sync_file;
  methods.xFileSize = size_of_file;
  methods.xLock = lock_file;
  methods.xUnlock = unlock_file;
  methods.xCheckReservedLock = check_lock;
  methods.xFileControl = control_file;
  methods.xSectorSize = sector_size;
  methods.xDeviceCharacteristics = characteristics;
  methods.xShmMap = map_shared;
  methods.xShmLock = lock_shared;
  methods.xShmBarrier = barrier_shared;
  methods.xShmUnmap = unmap_shared;
  return methods;
}
const sqlite3_io_methods shim_methods = make_methods();

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* const shim = new (file) shim_file{};
  shim->real = reinterpret_cast<sqlite3_file*>(shim + 1);
  std::memset(static_cast<void*>(shim->real), 0, static_cast<std::size_t>(real_vfs->szOsFile));
  const int code = real_vfs->xOpen(real_vfs, name, shim->real, flags, out_flags);
  if (shim->real->pMethods != nullptr) shim->base.pMethods = &shim_methods;
  return code;
}

}  // namespace

faulty_vfs::faulty_vfs() {
  real_vfs = sqlite3_vfs_find(nullptr);
  shim_vfs = *real_vfs;
  shim_vfs.zName = "weft-faulty";
  shim_vfs.szOsFile = static_cast<int>(sizeof(shim_file)) + real_vfs->szOsFile;
  shim_vfs.xOpen = open_file;
  shim_vfs.pNext = nullptr;
  sqlite3_vfs_register(&shim_vfs, 1);
}

faulty_vfs::~faulty_vfs() {
  hold(true);
  sqlite3_vfs_unregister(&shim_vfs);
  sqlite3_vfs_register(real_vfs, 1);
}

void faulty_vfs::arm(fault kind, std::int64_t nth) noexcept {
  kind_now = kind;
  calls_left = nth;
  is_held = false;
}

void faulty_vfs::hold(bool held) noexcept { is_held = held; }

bool faulty_vfs::has_struck() const noexcept { return calls_left == 0; }

}  // namespace weft::inline v1::jobs
