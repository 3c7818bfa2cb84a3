#include <weft/process/find_program.hpp>

#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>

#include <weft/core/error.hpp>

namespace weft::inline v1::process {

namespace {

bool is_file(const std::string& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode);
}

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

}  // namespace

std::string find_program(std::string_view name, std::string_view path) {
  if (name.empty()) throw error(errc::invalid_argument, "process: find a program: its name is empty");
  if (name.find('/') != std::string_view::npos) return std::string(name);
  std::string not_executable;
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(folder.size() == rest.size() ? folder.size() : folder.size() + 1);
    if (!folder.starts_with('/')) continue;
    std::string candidate = std::string(folder) + '/' + std::string(name);
    if (!is_file(candidate)) continue;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    if (not_executable.empty()) not_executable = std::move(candidate);
  }
  if (!not_executable.empty()) {
    throw error(errc::refused, "process: find the program " + quoted(name) + ": " + quoted(not_executable) +
                                   " is not executable for this user");
  }
  throw error(errc::not_found, "process: find the program " + quoted(name) +
                                   ": no such file in the folders of PATH (" + std::string(path) + ')');
}

std::string find_program(std::string_view name) {
  const char* const path = std::getenv("PATH");
  return find_program(name, path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin");
}

}  // namespace weft::inline v1::process
