#include "http/form/file_writer.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/http/status_error.hpp>

namespace weft::inline v1::http::detail {

namespace {

[[noreturn]] void throw_failed(const std::string& tried, int why) {
  if (why == ENOSPC || why == EDQUOT) throw status_error(507, "there is no room for the file");
  throw system_error("http: " + tried, why);
}

/// Zero, or why not.
int write_all(int file, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return errno;
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace

file_writer::file_writer(const std::string& folder) : path_(folder + "/upload-XXXXXX") {
  int why = 0;
  const int made = blocking([&] {
    const int fd = ::mkostemp(path_.data(), O_CLOEXEC);  // of mode 600
    why = errno;
    return fd;
  });
  if (made < 0) throw_failed("a file for an upload in \"" + folder + "\"", why);
  file_.reset(made);
}

file_writer::~file_writer() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void file_writer::write(std::string_view bytes) {
  const int why = blocking([&] { return write_all(file_.get(), bytes); });
  if (why != 0) throw_failed("write \"" + path_ + "\"", why);
  size_ += bytes.size();
}

std::string file_writer::keep() {
  file_.reset();
  return std::exchange(path_, {});
}

void file_writer::keep_as(const std::string& path) {
  rename_file(path_, path);
  keep();
}

void rename_file(const std::string& from, const std::string& to) {
  const int why = blocking([&] { return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno; });
  if (why != 0) throw_failed("save an upload as \"" + to + "\"", why);
}

}  // namespace weft::inline v1::http::detail
