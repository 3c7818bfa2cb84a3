#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <weft/context/cancellation.hpp>
#include <weft/net/files.hpp>
#include <weft/net/open_folder.hpp>

#include "net/files/file_io.hpp"
#include "net/files/off_loop.hpp"

namespace weft::inline v1::files {

namespace {

constexpr std::size_t deepest = 256;  // a descriptor each

/// Walks depth first. Each folder is opened by its name in the open folder above it, and no link is followed:
/// wherever somebody moves or links things meanwhile, the walk stays where it is.
class walking {
 public:
  walking(walk_options within, walked& into) noexcept : within_(within), into_(into) {}

  /// Takes the descriptor over. `prefix` is "" or ends with '/'.
  void look_into(unique_fd folder, const std::string& prefix, std::size_t depth) {
    std::vector<std::string> names = names_in(std::move(folder), prefix);
    const int at = ::dirfd(opened_.back().get());
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      checkpoint();
      const taken how = take(at, prefix, name);
      if (how == taken::no_room) break;
      if (how == taken::is_gone) continue;
      entry& added = into_.entries.back();
      if (added.info.kind != kind::folder) continue;
      if (depth >= within_.depth_max) {
        into_.is_cut = true;
        continue;
      }
      unique_fd below(::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!below && errno == ENOENT) {
        into_.entries.pop_back();
        continue;
      }
      if (!below) {
        added.problem = std::strerror(errno);  // NOLINT(concurrency-mt-unsafe): of glibc, it is safe
        continue;
      }
      look_into(std::move(below), prefix + name + '/', depth + 1);
      if (is_full()) break;
    }
    opened_.pop_back();
  }

 private:
  bool is_full() const noexcept { return into_.is_cut && into_.entries.size() >= within_.entries_max; }

  enum class taken : unsigned char { yes, is_gone, no_room };

  taken take(int at, const std::string& prefix, const std::string& name) {
    struct ::stat seen {};
    const bool is_there = ::fstatat(at, name.c_str(), &seen, AT_SYMLINK_NOFOLLOW) == 0;
    const int failed = errno;
    if (!is_there && failed == ENOENT) return taken::is_gone;
    if (into_.entries.size() >= within_.entries_max) {
      into_.is_cut = true;
      return taken::no_room;
    }
    entry& added = into_.entries.emplace_back();
    added.path = prefix + name;
    if (is_there) {
      added.info = detail::info_of(seen);
    } else {
      added.problem = std::strerror(failed);  // NOLINT(concurrency-mt-unsafe)
    }
    return taken::yes;
  }

  std::vector<std::string> names_in(unique_fd folder, const std::string& prefix) {
    detail::open_folder opened(::fdopendir(folder.get()));
    if (opened == nullptr) detail::throw_failed("read the folder", prefix, errno);
    [[maybe_unused]] const int taken_over = folder.release();
    std::vector<std::string> names;
    while (const dirent* const one = ::readdir(opened.get())) {  // NOLINT(concurrency-mt-unsafe): our own
      const std::string_view name = one->d_name;
      if (name == "." || name == "..") continue;
      // More are not needed to fill it; which ones are kept is then the file system's choice.
      if (names.size() > within_.entries_max) {
        into_.is_cut = true;  // also where some of these are gone by then
        break;
      }
      names.emplace_back(name);
      checkpoint();
    }
    opened_.push_back(std::move(opened));
    return names;
  }

  walk_options within_;
  walked& into_;
  std::vector<detail::open_folder> opened_;
};

}  // namespace

walked walk(std::string folder, walk_options options) {
  detail::check_path(folder);
  if (options.depth_max == 0 || options.depth_max > deepest || options.entries_max == 0)
    throw error(errc::invalid_argument, "files: a walk has a depth of 1 to 256 and room for an entry");
  return detail::off_loop([folder = std::move(folder), options] {
    walked found;
    walking(options, found).look_into(detail::open_file(folder, O_RDONLY | O_DIRECTORY), "", 1);
    return found;
  });
}

}  // namespace weft::inline v1::files
