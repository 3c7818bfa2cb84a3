#include "config/file_text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <weft/core/error.hpp>
#include <weft/core/unique_fd.hpp>

namespace weft::inline v1::config {
namespace {

constexpr std::size_t most = 1024 * 1024;

std::string read(const std::string& path, bool is_secret) {
  const std::string what = "read " + path;
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) throw system_error(what, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) throw system_error(what, errno);
  if (!S_ISREG(info.st_mode)) throw error(errc::refused, what + ": it is no regular file");
  if (is_secret && (info.st_mode & S_IROTH) != 0)
    throw error(errc::refused,
                what + ": everybody may read this secret; take that right away (chmod o= FILE)");
  std::string text(most + 1, '\0');
  std::size_t size = 0;
  for (;;) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error(what, errno);
    size += static_cast<std::size_t>(got);
    if (size > most) throw error(errc::too_large, what + ": it has more than 1 MiB");
    if (got == 0) break;
  }
  text.resize(size);
  return text;
}

}  // namespace

std::string read_file(const std::string& path) { return read(path, false); }

std::string read_secret_file(const std::string& path) {
  std::string text = read(path, true);
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace weft::inline v1::config
