#include "http/content/open_beneath.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace weft::inline v1::http::detail {

namespace {

unique_fd open_by_kernel(int root, const char* path, int flags, served_links links) noexcept {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  if (links == served_links::none) how.resolve |= RESOLVE_NO_SYMLINKS;
  while (true) {
    unique_fd opened(static_cast<int>(::syscall(SYS_openat2, root, path, &how, sizeof how)));
    // EAGAIN: something was renamed meanwhile, and the kernel could not be sure.
    if (opened || (errno != EINTR && errno != EAGAIN)) return opened;
  }
}

unique_fd open_by_names(int root, const std::string& path, int flags) {
  unique_fd folder;
  int at = root;
  for (std::size_t begin = 0;;) {
    const std::size_t slash = path.find('/', begin);
    const std::string name = path.substr(begin, slash - begin);
    if (slash == std::string::npos) return unique_fd(::openat(at, name.c_str(), flags | O_NOFOLLOW));
    unique_fd below(::openat(at, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!below) return below;
    folder = std::move(below);
    at = folder.get();
    begin = slash + 1;
  }
}

}  // namespace

unique_fd open_beneath(int root, const std::string& path, int flags, served_links links, looked_up_by how) {
  if (path.empty()) return unique_fd(::openat(root, ".", flags));
  if (how == looked_up_by::kernel) {
    unique_fd opened = open_by_kernel(root, path.c_str(), flags, links);
    // Some sandboxes know the call and refuse it.
    if (opened || (errno != ENOSYS && errno != EPERM)) return opened;
  }
  return open_by_names(root, path, flags);
}

}  // namespace weft::inline v1::http::detail
