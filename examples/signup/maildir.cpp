#include "maildir.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include <weft/core/error.hpp>
#include <weft/core/unique_fd.hpp>

namespace signup {
namespace {

void write_durably(const std::filesystem::path& path, std::string_view text) {
  const weft::unique_fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.get() < 0) throw weft::system_error("maildir: create " + path.string(), errno);
  while (!text.empty()) {
    const auto written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw weft::system_error("maildir: write " + path.string(), errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.get()) != 0) throw weft::system_error("maildir: sync " + path.string(), errno);
}

void sync_folder(const std::filesystem::path& path) {
  const weft::unique_fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || ::fsync(folder.get()) != 0)
    throw weft::system_error("maildir: sync " + path.string(), errno);
}

}  // namespace

maildir::maildir(std::filesystem::path folder) : folder_(std::move(folder)) {
  for (const char* part : {"tmp", "new", "cur"}) std::filesystem::create_directories(folder_ / part);
}

void maildir::deliver(std::string_view name, std::string_view text) const {
  // The process id keeps two attempts at one mail apart: only whole files are moved.
  const auto draft = folder_ / "tmp" / (std::string(name) + "." + std::to_string(getpid()));
  write_durably(draft, text);
  std::filesystem::rename(draft, folder_ / "new" / name);
  sync_folder(folder_ / "new");
}

std::vector<std::string> maildir::names() const {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "new")) {
    found.push_back(entry.path().filename().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace signup
