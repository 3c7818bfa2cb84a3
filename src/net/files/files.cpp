#include <weft/net/files.hpp>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/files/file_io.hpp"
#include "net/files/off_loop.hpp"

namespace weft::inline v1::files {

using detail::check_path;
using detail::off_loop;
using detail::throw_failed;

std::optional<info> stat(std::string path, links at_end) {
  check_path(path);
  return off_loop([path = std::move(path), at_end]() -> std::optional<info> {
    struct ::stat seen {};
    const int flags = at_end == links::keep ? AT_SYMLINK_NOFOLLOW : 0;
    if (::fstatat(AT_FDCWD, path.c_str(), &seen, flags) == 0) return detail::info_of(seen);
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw_failed("look at", path, errno);
  });
}

std::string read_file(std::string path, std::size_t bytes_max) {
  check_path(path);
  return off_loop([path = std::move(path), bytes_max] {
    // Without waiting: a named pipe would keep the thread until somebody writes to it.
    const unique_fd opened = detail::open_file(path, O_RDONLY | O_NONBLOCK);
    if (detail::info_of(opened.get(), path).kind != kind::file)
      throw error(errc::unsupported, "files: read \"" + path + "\": it is no regular file");
    const std::size_t wanted = bytes_max < SIZE_MAX ? bytes_max + 1 : bytes_max;
    std::string all = detail::read_some(opened.get(), -1, wanted, path);
    if (all.size() > bytes_max) {
      throw error(errc::too_large,
                  "files: read \"" + path + "\": it has more than " + std::to_string(bytes_max) + " bytes");
    }
    return all;
  });
}

void rename(std::string from, std::string to, when_there then) {
  check_path(from);
  check_path(to);
  off_loop([from = std::move(from), to = std::move(to), then] {
    const unsigned flags = then == when_there::refuse ? RENAME_NOREPLACE : 0;
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0) return;
    if (errno == EINVAL && flags != 0)
      throw error(errc::unsupported, "files: rename \"" + from +
                                         "\": the file system cannot do it without "
                                         "replacing what is there");
    throw_failed("rename", from + "\" to \"" + to, errno);
  });
}

bool remove(std::string path) {
  check_path(path);
  return off_loop([path = std::move(path)] {
    if (::unlink(path.c_str()) == 0) return true;
    if (errno == EISDIR && ::rmdir(path.c_str()) == 0) return true;
    if (errno == ENOENT) return false;
    throw_failed("remove", path, errno);
  });
}

namespace {

bool is_folder(const std::string& path) noexcept {
  struct ::stat seen {};
  return ::stat(path.c_str(), &seen) == 0 && S_ISDIR(seen.st_mode);
}

bool make_one(const std::string& path, unsigned permissions) {
  if (::mkdir(path.c_str(), permissions) == 0) return true;
  const int failed = errno;
  if (failed == EEXIST && is_folder(path)) return false;
  throw_failed("make the folder", path, failed);
}

}  // namespace

bool make_folder(std::string path, parents above, unsigned permissions) {
  check_path(path);
  return off_loop([path = std::move(path), above, permissions] {
    if (above == parents::make) {
      for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1))
        if (end + 1 < path.size()) make_one(path.substr(0, end), 0777);
    }
    return make_one(path, permissions);
  });
}

void sync_folder(std::string path) {
  check_path(path);
  off_loop([path = std::move(path)] {
    detail::sync_file(detail::open_file(path, O_RDONLY | O_DIRECTORY).get(), path);
  });
}

}  // namespace weft::inline v1::files
