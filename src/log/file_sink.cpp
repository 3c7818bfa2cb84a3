#include <weft/log/file_sink.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/unique_fd.hpp>

#include "log/formatter.hpp"

namespace weft::inline v1::log {

/// Shared with the writer of the sink, which may outlive the sink.
///
/// The descriptor keeps its number: what is opened anew is put in its place, by the thread that writes, so no
/// line is cut.
class file_sink::file {
 public:
  explicit file(const file_sink_options& options) : path_(options.path), mode_(options.mode), fd_(open()) {
    if (!fd_) throw system_error("log: open the file " + path_, errno);
  }

  int fd() const noexcept { return fd_.get(); }
  void want_new() noexcept { wanted_.store(true, std::memory_order_release); }

  /// On the thread that writes.
  void open_if_wanted(const line_formatter& format, std::string& out) {
    if (!wanted_.exchange(false, std::memory_order_acquire)) return;
    const unique_fd fresh = open();
    if (fresh && ::dup3(fresh.get(), fd_.get(), O_CLOEXEC) >= 0) return;
    record notice;
    notice.time = now();
    notice.level = level::error;
    notice.message = "log: the file could not be opened anew; the old one is used on";
    notice.fields = {{"path", path_}, {"why", std::string(std::strerror(errno))}};
    notice.process_id = ::getpid();
    format(notice, out);
  }

 private:
  unique_fd open() const noexcept {
    return unique_fd(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, mode_));
  }

  const std::string path_;
  const ::mode_t mode_;
  const unique_fd fd_;
  std::atomic<bool> wanted_{false};
};

file_sink::file_sink(file_sink_options options) : file_sink(std::make_shared<file>(options), options) {}

file_sink::file_sink(std::shared_ptr<file> to, const file_sink_options& options)
    : line_sink({.fd = to->fd(),
                 .level = options.level,
                 .queue_records_max = options.queue_records_max,
                 .before_lines = [to, format = detail::formatter_for(options.format, false, false)](
                                     std::string& out) { to->open_if_wanted(format, out); }},
                detail::formatter_for(options.format, false, false)),
      file_(std::move(to)) {}

void file_sink::reopen() noexcept {
  file_->want_new();
  nudge();
}

}  // namespace weft::inline v1::log
