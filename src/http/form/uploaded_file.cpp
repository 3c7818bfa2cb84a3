#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/http/form.hpp>

#include "http/form/file_writer.hpp"

namespace weft::inline v1::http {

namespace {

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string read_file(const std::string& path, std::uint64_t size) {
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw system_error("http: open an upload, \"" + path + "\"", errno);
  std::string all(size, '\0');
  std::size_t done = 0;
  while (done < all.size()) {
    const ssize_t count = ::read(file.get(), all.data() + done, all.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_error("http: read an upload, \"" + path + "\"", errno);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  all.resize(done);
  return all;
}

}  // namespace

uploaded_file::uploaded_file(description about, std::string contents) noexcept
    : about_(std::move(about)), size_(contents.size()), contents_(std::move(contents)) {}

uploaded_file::uploaded_file(description about, std::string path, std::uint64_t size) noexcept
    : about_(std::move(about)), size_(size), path_(std::move(path)), is_owned_(true) {}

uploaded_file::uploaded_file(uploaded_file&& other) noexcept
    : about_(std::move(other.about_)),
      size_(other.size_),
      contents_(std::move(other.contents_)),
      path_(std::move(other.path_)),
      is_owned_(std::exchange(other.is_owned_, false)) {}

uploaded_file& uploaded_file::operator=(uploaded_file&& other) noexcept {
  std::swap(about_, other.about_);
  std::swap(size_, other.size_);
  std::swap(contents_, other.contents_);
  std::swap(path_, other.path_);
  std::swap(is_owned_, other.is_owned_);
  return *this;
}

uploaded_file::~uploaded_file() {
  if (is_owned_) ::unlink(path_.c_str());
}

std::string uploaded_file::contents() const {
  if (path_.empty()) return contents_;
  return blocking([this] { return read_file(path_, size_); });
}

void uploaded_file::save_as(const std::string& path) {
  if (path_.empty()) {
    detail::file_writer written(folder_of(path));
    written.write(contents_);
    written.keep_as(path);
  } else {
    detail::rename_file(path_, path);
    path_ = path;
    is_owned_ = false;
  }
}

}  // namespace weft::inline v1::http
