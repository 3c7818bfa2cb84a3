#include <cerrno>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/wire/base64.hpp>
#include <weft/wire/key_ring.hpp>

#include "wire/key_ring_state.hpp"

namespace weft::wire {
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

error file_error(const std::string& path, const std::string& why, errc code) {
  return error(code, "key file " + path + ": " + why);
}

// Checked on the open file, so that it cannot be exchanged in between.
std::size_t checked_size(int fd, const std::string& path) {
  struct stat info {};
  if (fstat(fd, &info) != 0) throw system_error("key file " + path, errno);
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
  return static_cast<std::size_t>(info.st_size);
}

secret_bytes read_file(const std::string& path) {
  const file_descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) throw system_error("key file " + path, errno);
  secret_bytes text(checked_size(file.get(), path));
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = read(file.get(), text.data().data() + done, text.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error("key file " + path, errno);
    if (got == 0) throw file_error(path, "became shorter while it was read", errc::io_error);
    done += static_cast<std::size_t>(got);
  }
  return text;
}

key read_line(std::string_view line, const std::string& path, std::size_t number) {
  const auto bad = [&] {
    return file_error(path, "line " + std::to_string(number) + " is not `<id> <secret in base64>`",
                      errc::malformed);
  };
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) throw bad();
  auto secret = from_base64(line.substr(space + 1));
  if (!secret) throw bad();
  secret_bytes kept(*secret);
  OPENSSL_cleanse(secret->data(), secret->size());
  return {std::string(line.substr(0, space)), std::move(kept)};
}

void write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t put = write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw system_error("key file " + path, errno);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  if (fsync(fd) != 0) throw system_error("key file " + path, errno);
}

}  // namespace

key_ring key_ring::load(const std::string& path) {
  const secret_bytes file = read_file(path);
  std::string_view rest = as_text(file.data());
  std::vector<key> keys;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty() || line.front() == '#') continue;
    keys.push_back(read_line(line, path, number));
  }
  if (keys.empty()) throw file_error(path, "holds no key", errc::malformed);
  return key_ring(std::move(keys));
}

void key_ring::save(const std::string& path) const {
  const file_descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) throw system_error("key file " + path, errno);
  for (const auto& one : state_->keys) {
    std::string line = one.id() + ' ' + to_base64(one.secret()) + '\n';
    write_all(file.get(), line, path);
    OPENSSL_cleanse(line.data(), line.size());
  }
}

}  // namespace weft::wire
