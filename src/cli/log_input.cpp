#include "cli/log_input.hpp"

#include <cerrno>
#include <memory>

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/process/program.hpp>

namespace weft::inline v1::cli {

namespace {

constexpr std::size_t piece_bytes = std::size_t{64} * 1024;

// Cuts what comes in pieces into lines.
class line_cutter {
 public:
  line_cutter(std::string file, const line_reader& reader) : file_(std::move(file)), reader_(reader) {}

  bool add(std::string_view piece) {
    while (!piece.empty()) {
      const auto end = piece.find('\n');
      pending_ += piece.substr(0, end);
      if (pending_.size() > line_bytes_max) {
        throw error(errc::too_large, "read " + file_ + ": line " + std::to_string(number_ + 1) +
                                         " has more than " + std::to_string(line_bytes_max) + " bytes");
      }
      if (end == std::string_view::npos) return true;
      piece.remove_prefix(end + 1);
      if (!hand_on()) return false;
    }
    return true;
  }
  bool finish() { return pending_.empty() || hand_on(); }
  /// Another file of that name.
  void restart() {
    pending_.clear();
    number_ = 0;
  }
  const std::string& file() const noexcept { return file_; }

 private:
  bool hand_on() {
    const bool more = reader_({pending_, file_, ++number_});
    pending_.clear();
    return more;
  }

  std::string file_;
  const line_reader& reader_;
  std::string pending_;
  std::size_t number_ = 0;
};

unique_fd open_file(const std::string& file) {
  if (file == "-") return unique_fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
  unique_fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) throw system_error("open " + file, errno);
  return fd;
}

// All that is there now; false where the reader wants no more.
bool read_rest(int fd, line_cutter& into) {
  std::string piece(piece_bytes, '\0');
  while (true) {
    const auto got = ::read(fd, piece.data(), piece.size());
    if (got == 0) return true;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error("read " + into.file(), errno);
    if (!into.add({piece.data(), static_cast<std::size_t>(got)})) return false;
  }
}

bool read_unpacked(const char* unpacker, const std::string& file, line_cutter& into) {
  (void)open_file(file);  // whether it can be read is said in our words
  process::program unpacking({unpacker, "--", file}, {.err = process::stream_target::inherit()});
  std::string piece(piece_bytes, '\0');
  while (const auto got = unpacking.out().read_some(piece)) {
    if (!into.add({piece.data(), got})) return false;
  }
  const auto status = unpacking.wait();
  if (status != process::exit_status::exited(0)) {
    throw error(errc::io_error, "read " + file + ": " + unpacker + ": " + to_string(status));
  }
  return into.finish();
}

// A file that is followed by its name.
class followed_file {
 public:
  followed_file(const std::string& file, const line_reader& reader)
      : fd_(open_file(file)), lines_(file, reader) {}

  bool read_more() {
    struct stat here {};
    ::fstat(fd_.get(), &here);
    if (here.st_size < ::lseek(fd_.get(), 0, SEEK_CUR)) {
      ::lseek(fd_.get(), 0, SEEK_SET);
      lines_.restart();
    }
    if (!read_rest(fd_.get(), lines_)) return false;
    struct stat named {};
    const bool is_another = ::stat(lines_.file().c_str(), &named) == 0 &&
                            (named.st_ino != here.st_ino || named.st_dev != here.st_dev);
    if (!is_another) return true;
    fd_ = open_file(lines_.file());
    lines_.restart();
    is_watched_ = false;
    return read_rest(fd_.get(), lines_);
  }

  void watch(int notify) {
    if (std::exchange(is_watched_, true)) return;
    ::inotify_add_watch(notify, lines_.file().c_str(), IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF);
  }

 private:
  unique_fd fd_;
  line_cutter lines_;
  bool is_watched_ = false;
};

}  // namespace

bool read_lines(const std::string& file, const line_reader& reader) {
  line_cutter lines(file, reader);
  if (file.ends_with(".gz")) return read_unpacked("zcat", file, lines);
  if (file.ends_with(".bz2")) return read_unpacked("bzcat", file, lines);
  const auto fd = open_file(file);
  return read_rest(fd.get(), lines) && lines.finish();
}

void follow_lines(const std::vector<std::string>& files, const line_reader& reader) {
  // That another file took the name may come without a notice.
  constexpr int look_again_ms = 1000;
  const unique_fd notify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!notify) throw system_error("follow files", errno);
  std::vector<std::unique_ptr<followed_file>> all;
  for (const auto& one : files) all.push_back(std::make_unique<followed_file>(one, reader));
  while (true) {
    for (const auto& one : all) {
      one->watch(notify.get());
      if (!one->read_more()) return;
    }
    pollfd changed{notify.get(), POLLIN, 0};
    ::poll(&changed, 1, look_again_ms);
    char events[4096];
    while (::read(notify.get(), events, sizeof events) > 0) {
    }
  }
}

}  // namespace weft::inline v1::cli
