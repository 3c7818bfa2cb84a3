#include "workers/chaos/processes.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include <sys/prctl.h>
#include <unistd.h>

namespace weft_test {

namespace {

// "PID (NAME) STATE PARENT ..."; the name may have anything in it.
bool read_entry(const std::filesystem::path& folder, process_entry& into) {
  std::string line;
  if (!std::getline(std::ifstream(folder / "stat"), line)) return false;
  const auto open = line.find('(');
  const auto close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return false;
  into.pid = static_cast<pid_t>(std::stol(line));
  into.name = line.substr(open + 1, close - open - 1);
  std::istringstream rest(line.substr(close + 1));
  return static_cast<bool>(rest >> into.state >> into.parent);
}

std::vector<process_entry> all_processes() {
  std::vector<process_entry> all;
  for (const auto& folder : std::filesystem::directory_iterator("/proc")) {
    process_entry one;
    const auto name = folder.path().filename().string();
    const bool is_number =
        std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (is_number && read_entry(folder.path(), one)) all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

std::vector<process_entry> descendants() {
  auto others = all_processes();
  std::vector<process_entry> found;
  std::set<pid_t> parents{::getpid()};
  for (bool more = true; more;) {
    more = false;
    for (auto& one : others) {
      if (one.pid == 0 || !parents.contains(one.parent)) continue;
      parents.insert(one.pid);
      found.push_back(std::exchange(one, {}));
      more = true;
    }
  }
  return found;
}

std::string to_string(const std::vector<process_entry>& all) {
  std::string text;
  for (const auto& one : all) {
    text += std::to_string(one.pid) + " " + one.name + " " + one.state + " of " + std::to_string(one.parent) +
            "; ";
  }
  return text;
}

std::size_t descriptor_count(pid_t pid) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

void adopt_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

}  // namespace weft_test
