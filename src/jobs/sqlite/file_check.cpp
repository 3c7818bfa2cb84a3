#include "jobs/sqlite/file_check.hpp"

#include <cerrno>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <weft/core/error.hpp>

namespace weft::inline v1::jobs::sqlite {
namespace {

constexpr unsigned long nfs_magic = 0x6969;
constexpr unsigned long smb_magic = 0x517b;
constexpr unsigned long cifs_magic = 0xff534d42;
constexpr unsigned long smb2_magic = 0xfe534d42;

[[noreturn]] void refuse(errc code, const std::string& path, const std::string& why) {
  throw error(code, "jobs: open the database \"" + path + "\": " + why);
}

bool may(const char* path, int mode) noexcept { return ::faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0; }

void check_existing(const std::string& path, const struct stat& file) {
  if (S_ISDIR(file.st_mode))
    refuse(errc::invalid_argument, path, "it is a directory; give the path of a file in it");
  if (!S_ISREG(file.st_mode))
    refuse(errc::invalid_argument, path, "it is not a regular file; give the path of one");
  if (!may(path.c_str(), R_OK | W_OK)) {
    refuse(errc::refused, path, "the file is read-only for this user; make it writable, or run as its owner");
  }
}

void check_folder(const std::string& path, const std::string& folder) {
  struct stat place {};
  if (::stat(folder.c_str(), &place) != 0) {
    const bool missing = errno == ENOENT;
    if (missing)
      refuse(errc::not_found, path, "the directory \"" + folder + "\" does not exist; make it first");
    refuse(errc::not_found, path, "the directory \"" + folder + "\" cannot be reached; check the path");
  }
  if (!S_ISDIR(place.st_mode))
    refuse(errc::not_found, path, "\"" + folder + "\" is not a directory; check the path");
  if (!may(folder.c_str(), W_OK | X_OK)) {
    refuse(errc::refused, path,
           "the directory \"" + folder +
               "\" is not writable, and the log and lock files are made beside the "
               "database; make it writable");
  }
}

void check_file_system(const std::string& path, const std::string& folder) {
  struct statfs system {};
  if (::statfs(folder.c_str(), &system) != 0) return;
  const auto magic = static_cast<unsigned long>(system.f_type) & 0xffffffffUL;
  if (magic == nfs_magic || magic == smb_magic || magic == cifs_magic || magic == smb2_magic) {
    refuse(errc::unsupported, path,
           "it is on a network file system, where a write-ahead log is not safe; use a local disk");
  }
}

}  // namespace

void check_place(const std::string& path, bool must_exist) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    refuse(errc::invalid_argument, path, "the path is empty or has a NUL; give the path of a file");
  }
  struct stat file {};
  if (::stat(path.c_str(), &file) == 0) {
    check_existing(path, file);
  } else if (must_exist) {
    refuse(errc::not_found, path, "it does not exist; check the path");
  }
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string folder = parent.empty() ? "." : parent;
  check_folder(path, folder);
  check_file_system(path, folder);
}

}  // namespace weft::inline v1::jobs::sqlite
