#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/core/unique_fd.hpp>

#include "jobs/sqlite/connection.hpp"
#include "jobs/sqlite/error.hpp"
#include "jobs/sqlite/maintenance.hpp"
#include "jobs/sqlite/schema.hpp"
#include "jobs/sqlite/writer_lock.hpp"

// A backup is a read of one snapshot: writers go on, and the log of the database grows until it is over. It
// is written beside its place and put there when it is on disk, so that a file of that name is always whole.

namespace weft::inline v1::jobs::sqlite {
namespace {

constexpr std::chrono::milliseconds backup_lock_bound{10'000};

/// A file that is deleted unless it was put in its place. It is locked while it is written: one that is not
/// was left by a process that died, and another one takes its name. Nothing that is there is written to: it
/// may be a backup, too, by another name.
class partial_file {
 public:
  partial_file(const std::string& place, const struct stat& source)
      : place_(place), path_(place + ".partial") {
    const mode_t mode = source.st_mode & 0777U;
    while (!lock_new_one(mode)) refuse_or_remove(source);
    if (::fchmod(locked_.get(), mode) != 0) throw failed("make the file " + path_, errno);
    ::unlink((path_ + "-journal").c_str());
  }
  partial_file(const partial_file&) = delete;
  partial_file& operator=(const partial_file&) = delete;
  ~partial_file() {
    if (!is_moved_) ::unlink(path_.c_str());  // else the name may be another backup's by now
  }

  const std::string& path() const noexcept { return path_; }

  /// Throws already_exists where there is something by now.
  void put_in_place() {
    sync(path_, O_RDONLY);
    if (::link(path_.c_str(), place_.c_str()) != 0) move_in_place(errno);
    const auto folder = std::filesystem::path(place_).parent_path();
    sync(folder.empty() ? "." : folder.string(), O_RDONLY | O_DIRECTORY);
  }

 private:
  /// Where the file system has no hard links, as FAT.
  void move_in_place(int why_no_link) {
    if (why_no_link != EPERM && why_no_link != EOPNOTSUPP && why_no_link != ENOSYS)
      throw failed("name it", why_no_link);
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, place_.c_str(), RENAME_NOREPLACE) != 0)
      throw failed("name it", errno);
    is_moved_ = true;
  }
  /// False: the file that was locked is not a new one.
  bool lock_new_one(mode_t mode) {
    locked_ = unique_fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!locked_) throw failed("make the file " + path_, errno);
    if (::flock(locked_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) throw failed("lock the file " + path_, errno);
      throw error(errc::busy, "jobs: back up to \"" + place_ + "\": another backup writes " + path_);
    }
    struct stat locked {};
    return is_named(locked) && locked.st_size == 0 && locked.st_nlink == 1;
  }
  void refuse_or_remove(const struct stat& source) const {
    struct stat locked {};
    if (!is_named(locked)) return;
    if (is_same(locked, source)) {
      throw error(errc::invalid_argument, "jobs: back up to \"" + place_ + "\": it is written as " + path_ +
                                              " first, which is the database; name another file");
    }
    if (::unlink(path_.c_str()) != 0) throw failed("remove " + path_ + ", which an earlier one left", errno);
  }
  /// Is what was locked still the file of that name? Another backup may have ended meanwhile.
  bool is_named(struct stat& locked) const {
    struct stat named {};
    return ::fstat(locked_.get(), &locked) == 0 && ::stat(path_.c_str(), &named) == 0 &&
           is_same(locked, named);
  }
  static bool is_same(const struct stat& left, const struct stat& right) noexcept {
    return left.st_ino == right.st_ino && left.st_dev == right.st_dev;
  }
  error failed(const std::string& step, int why) const {
    return system_error("jobs: back up to \"" + place_ + "\": " + step, why);
  }
  void sync(const std::string& what, int flags) const {
    const unique_fd opened(::open(what.c_str(), flags | O_CLOEXEC));
    if (!opened || ::fsync(opened.get()) != 0) throw failed("bring it to the disk", errno);
  }

  std::string place_;
  std::string path_;
  unique_fd locked_;
  bool is_moved_ = false;
};

struct close_database {
  void operator()(sqlite3* open) const noexcept { sqlite3_close_v2(open); }
};

void copy(connection& from, const std::string& to) {
  const std::string tried = "jobs: back up \"" + from.path() + '"';
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(to.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  const std::unique_ptr<sqlite3, close_database> target(raw);
  if (opened != SQLITE_OK) throw_error(raw, opened, tried);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_backup* const backup = sqlite3_backup_init(raw, "main", from.handle(), "main");
  if (backup == nullptr) throw_error(raw, sqlite3_errcode(raw), tried);
  const int copied = sqlite3_backup_step(backup, -1);
  const int done = sqlite3_backup_finish(backup);
  if (done != SQLITE_OK) throw_error(raw, done, tried);
  if (copied != SQLITE_DONE) throw_error(raw, copied, tried);
}

migration planned(int from) {
  migration steps{from, schema_version, {}, schema_version};
  for (int version = from + 1; version <= schema_version; ++version) {
    steps.steps.push_back({version, migration_text(version)});
  }
  return steps;
}

}  // namespace

void backup_database(const std::string& path, const std::string& to) {
  std::error_code unseen;
  if (std::filesystem::exists(std::filesystem::symlink_status(to, unseen))) {
    throw error(errc::already_exists,
                "jobs: back up to \"" + to + "\": there is one already; name a new file");
  }
  connection database(path, file_use::existing);
  struct stat source {};
  if (::stat(path.c_str(), &source) != 0) throw system_error("jobs: back up \"" + path + '"', errno);
  partial_file made(to, source);
  copy(database, made.path());
  made.put_in_place();
}

migration plan_migration(const std::string& path) {
  connection database(path, file_use::existing);
  return planned(checked_version(database));
}

migration migrate_database(const std::string& path) {
  connection database(path, file_use::existing);
  writer_lock lock(path);
  const writer_lock::guard held(lock, backup_lock_bound);
  migration done = planned(checked_version(database));
  migrate(database, backup_lock_bound);
  return done;
}

}  // namespace weft::inline v1::jobs::sqlite
