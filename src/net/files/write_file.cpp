#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/net/files.hpp>

#include "net/files/file_io.hpp"
#include "net/files/off_loop.hpp"

namespace weft::inline v1::files {

namespace {

using detail::throw_failed;

/// A new file beside another, which is removed at its end unless it has taken the other's place.
class replacement {
 public:
  explicit replacement(const std::string& path) : path_(path) {
    const std::size_t name = path.rfind('/') + 1;  // 0 without a slash
    temporary_ = path.substr(0, name) + '.' + path.substr(name) + ".XXXXXX";
    fd_ = unique_fd(::mkostemp(temporary_.data(), O_CLOEXEC));
    if (!fd_) throw_failed("make a temporary file for", path, errno);
  }
  replacement(const replacement&) = delete;
  replacement& operator=(const replacement&) = delete;
  ~replacement() {
    if (fd_) ::unlink(temporary_.c_str());
  }

  void permit_as_before(unsigned for_new) {
    struct ::stat before {};
    mode_t permissions;
    if (::lstat(path_.c_str(), &before) == 0 && S_ISREG(before.st_mode)) {
      permissions = before.st_mode & 0777;
    } else {
      permissions = for_new & ~read_umask();
    }
    if (::fchmod(fd_.get(), permissions) != 0) throw_failed("set the permissions of", temporary_, errno);
  }
  void write(const std::string& content) { detail::write_all(fd_.get(), -1, content, path_); }
  void sync() { detail::sync_file(fd_.get(), path_); }
  void take_place() {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw_failed("replace", path_, errno);
    fd_.reset();
  }

 private:
  /// Without changing it, as umask(2) does, which other threads would see.
  static mode_t read_umask() {
    const std::string status = detail::read_some(detail::open_file("/proc/self/status", O_RDONLY).get(), -1,
                                                 4096, "/proc/self/status");
    const std::size_t at = status.find("\nUmask:");
    return at == std::string::npos
               ? 022
               : static_cast<mode_t>(std::strtoul(status.c_str() + at + sizeof("\nUmask:") - 1, nullptr, 8));
  }

  const std::string& path_;
  std::string temporary_;
  unique_fd fd_;
};

}  // namespace

void write_file(std::string path, std::string content, write_options options) {
  detail::check_path(path);
  if (path.back() == '/') throw error(errc::invalid_argument, "files: \"" + path + "\" names a folder");
  detail::off_loop([path = std::move(path), content = std::move(content), options] {
    replacement next(path);
    next.permit_as_before(options.permissions);
    next.write(content);
    if (options.durability != durability::none) next.sync();
    next.take_place();
    if (options.durability != durability::file_and_folder) return;
    const std::string folder = detail::folder_of(path);
    detail::sync_file(detail::open_file(folder, O_RDONLY | O_DIRECTORY).get(), folder);
  });
}

}  // namespace weft::inline v1::files
