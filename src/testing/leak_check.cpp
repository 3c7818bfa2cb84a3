#include <weft/testing/leak_check.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <weft/process/self.hpp>
#include <weft/testing/test_failure.hpp>

namespace weft::inline v1::testing {
namespace {

/// Children belong to the thread that forked them; a kernel without the file tells of none.
std::set<pid_t> children() {
  std::set<pid_t> all;
  std::error_code gone;  // a thread that ends meanwhile
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", gone)) {
    std::ifstream list(task.path() / "children");
    for (pid_t one = 0; list >> one;) all.insert(one);
  }
  return all;
}

std::string target_of(int descriptor) {
  std::array<char, 256> text{};
  const auto path = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t length = ::readlink(path.c_str(), text.data(), text.size());
  return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : std::string("?");
}

std::string name_of(pid_t process) {
  std::string name = "?";
  std::getline(std::ifstream("/proc/" + std::to_string(process) + "/comm"), name);
  return name;
}

}  // namespace

leak_check::leak_check() : descriptors_(process::open_descriptors()), children_(children()) {}

std::string leak_check::found() const {
  std::string text;
  const auto add = [&](const std::string& line) { text += (text.empty() ? "" : "\n") + line; };
  for (const int one : process::open_descriptors()) {
    if (std::binary_search(descriptors_.begin(), descriptors_.end(), one)) continue;
    add("descriptor " + std::to_string(one) + ": " + target_of(one));
  }
  for (const pid_t one : children()) {
    if (children_.count(one) != 0) continue;
    add("child process " + std::to_string(one) + " (" + name_of(one) + ")");
  }
  return text;
}

void leak_check::require_none() const {
  if (const auto left = found(); !left.empty()) throw test_failure("these are left over:\n" + left);
}

}  // namespace weft::inline v1::testing
