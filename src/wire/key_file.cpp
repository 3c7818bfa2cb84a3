#include <weft/wire/key_file.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/core/error.hpp>

#include "wire/key_ring_state.hpp"
#include "wire/key_text.hpp"

namespace weft::inline v1::wire {
namespace {

constexpr std::size_t file_bytes_max = 64 * 1024;

class file_descriptor {
 public:
  explicit file_descriptor(int fd) : fd_(fd) {}
  file_descriptor(const file_descriptor&) = delete;
  file_descriptor& operator=(const file_descriptor&) = delete;
  ~file_descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

std::string shown(const std::string& path) { return "key file " + path; }

error file_error(const std::string& path, const std::string& why, errc code) {
  return error(code, shown(path) + ": " + why);
}

file_descriptor open_file(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
  if (fd >= 0) return file_descriptor(fd);
  const error failed = system_error(shown(path), errno);
  if (failed.code() != errc::not_found) throw failed;
  throw error(errc::not_found, failed.message() + "; make one with `weft keys generate " + path + "`");
}

// Checked on the open file, so that it cannot be exchanged in between.
struct stat checked(int fd, const std::string& path) {
  struct stat info {};
  if (fstat(fd, &info) != 0) throw system_error(shown(path), errno);
  if (!S_ISREG(info.st_mode)) throw file_error(path, "not a regular file", errc::refused);
  if (info.st_uid != geteuid() && info.st_uid != 0) {
    throw file_error(path, "belongs to another user; chown it to the one that runs this program",
                     errc::refused);
  }
  if ((info.st_mode & 077) != 0) {
    throw file_error(path, "others may read or write it; chmod it to 600 and make new keys", errc::refused);
  }
  if (static_cast<std::size_t>(info.st_size) > file_bytes_max) {
    throw file_error(path, "over 64 KiB, so not a key file", errc::malformed);
  }
  return info;
}

secret_bytes read_all(int fd, const std::string& path) {
  secret_bytes text(static_cast<std::size_t>(checked(fd, path).st_size));
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = read(fd, text.data().data() + done, text.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error(shown(path), errno);
    if (got == 0) throw file_error(path, "became shorter while it was read", errc::io_error);
    done += static_cast<std::size_t>(got);
  }
  return text;
}

void write_all(int fd, std::span<const std::byte> data, const std::string& path) {
  while (!data.empty()) {
    const ssize_t put = write(fd, data.data(), data.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw system_error(shown(path), errno);
    data = data.subspan(static_cast<std::size_t>(put));
  }
  if (fsync(fd) != 0) throw system_error(shown(path), errno);
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// The file itself, where the path is a symbolic link to it.
std::string real_path(const std::string& path) {
  char* const found = realpath(path.c_str(), nullptr);
  if (found == nullptr) return path;
  std::string real(found);
  std::free(found);
  return real;
}

/// As rename(), but a file that is there already stays: EEXIST.
bool rename_to_free_name(const char* from, const char* to) noexcept {
  if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  return link(from, to) == 0 && unlink(from) == 0;  // a file system without it
}

/// A file that is written beside the path and comes to it whole, or else goes away. So a process that dies
/// leaves at the path what was there before.
class new_file {
 public:
  explicit new_file(const std::string& path)
      : path_(path), name_(path + ".XXXXXX"), file_(mkostemp(name_.data(), O_CLOEXEC)) {
    if (file_.get() < 0) throw system_error(shown(path_), errno);
  }
  new_file(const new_file&) = delete;
  new_file& operator=(const new_file&) = delete;
  ~new_file() {
    if (!name_.empty()) unlink(name_.c_str());
  }
  void write(std::span<const std::byte> data) { write_all(file_.get(), data, path_); }
  /// A root who changes another user's file leaves it to him.
  void give_to_owner(const struct stat& of) {
    const bool is_others = of.st_uid != geteuid() || of.st_gid != getegid();
    if (is_others && fchown(file_.get(), of.st_uid, of.st_gid) != 0 && of.st_uid != geteuid())
      throw system_error(shown(path_), errno);
  }
  void replace_old(int folder) { arrive(rename(name_.c_str(), path_.c_str()) == 0, folder); }
  /// Throws already_exists where another file is at the path.
  void take_free_path(int folder) { arrive(rename_to_free_name(name_.c_str(), path_.c_str()), folder); }

 private:
  void arrive(bool has_arrived, int folder) {
    if (!has_arrived) throw system_error(shown(path_), errno);
    name_.clear();
    if (fsync(folder) != 0) throw system_error(shown(path_), errno);
  }

  std::string path_;
  std::string name_;
  file_descriptor file_;
};

void create_file(const std::string& path, const secret_bytes& text) {
  new_file fresh(path);
  const auto folder = open_file(folder_of(path), O_RDONLY | O_DIRECTORY);
  fresh.write(text.data());
  fresh.take_free_path(folder.get());
}

/// Throws unless it makes a key ring.
void check(const key_file& file, const std::string& path) {
  std::vector<std::string> ids;
  for (const auto& one : file.keys) ids.push_back(one.id());
  for (const auto& one : file.retired) ids.push_back(one.id);
  std::sort(ids.begin(), ids.end());
  const auto twice = std::adjacent_find(ids.begin(), ids.end());
  if (twice != ids.end()) {
    throw file_error(path, "two keys would have the id \"" + *twice + "\"", errc::already_exists);
  }
  if (file.keys.empty()) throw file_error(path, "no key would be left", errc::invalid_argument);
}

}  // namespace

key_file key_file::load(const std::string& path) {
  const auto file = open_file(path, O_RDONLY | O_NONBLOCK);
  const secret_bytes text = read_all(file.get(), path);
  return parse(as_text(text.data()), shown(path));
}

void key_file::create(const std::string& path) const {
  check(*this, path);
  create_file(path, key_text(keys, retired, comments));
}

void key_file::change(const std::string& path, const std::function<void(key_file&)>& change) {
  const std::string real = real_path(path);
  // The folder is locked, since the file is exchanged.
  const auto folder = open_file(folder_of(real), O_RDONLY | O_DIRECTORY);
  while (flock(folder.get(), LOCK_EX) != 0) {
    if (errno != EINTR) throw system_error(shown(path), errno);
  }
  const auto file = open_file(real, O_RDONLY | O_NONBLOCK);
  const struct stat info = checked(file.get(), path);
  const secret_bytes text = read_all(file.get(), path);
  key_file changed = parse(as_text(text.data()), shown(path));
  change(changed);
  check(changed, path);
  new_file fresh(real);
  fresh.give_to_owner(info);
  fresh.write(key_text(changed.keys, changed.retired, changed.comments).data());
  fresh.replace_old(folder.get());
}

std::vector<key>::iterator key_file::find(std::string_view id) noexcept {
  return std::find_if(keys.begin(), keys.end(), [&](const key& one) { return one.id() == id; });
}

key_ring key_ring::load(const std::string& path) { return key_ring(key_file::load(path)); }

void key_ring::save(const std::string& path) const {
  create_file(path, key_text(state_->keys, state_->retired, {}));
}

key_ring key_ring::from_environment(const char* name) {
  constexpr std::string_view file_mark = "file:";
  const char* const set = std::getenv(name);
  if (set == nullptr || *set == '\0') {
    throw error(errc::not_found,
                std::string("key_ring: the environment variable ") + name +
                    " is not set; make keys with `weft keys generate /path/to/keys` and set " + name +
                    "=file:/path/to/keys");
  }
  const std::string_view value = set;
  if (value.starts_with(file_mark)) return load(std::string(value.substr(file_mark.size())));
  secret_bytes text(as_bytes(value));
  const auto characters = text.data();
  std::replace(characters.begin(), characters.end(), std::byte{';'}, std::byte{'\n'});
  return key_ring(key_file::parse(as_text(text.data()), std::string("environment variable ") + name));
}

}  // namespace weft::inline v1::wire
