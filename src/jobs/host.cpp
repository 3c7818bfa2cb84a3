#include "jobs/host.hpp"

#include <signal.h>
#include <sys/types.h>
#include <unistd.h>
#include <cerrno>
#include <climits>
#include <fstream>
#include <sstream>

namespace weft::inline v1::jobs {

std::string host_identity() {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  char space[64] = "";
  const ssize_t length = ::readlink("/proc/self/ns/pid", space, sizeof space - 1);
  if (length > 0) space[length] = '\0';
  char name[HOST_NAME_MAX + 1] = "";
  ::gethostname(name, sizeof name - 1);
  return std::string(name) + " " + boot + " " + space;
}

namespace {

std::string stat_of(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  return line;
}

/// 0: it has ended, or the text is none.
std::int64_t start_in(std::string_view stat) {
  // The second field is the program's name in parentheses, which may hold anything.
  const auto name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return 0;
  std::istringstream fields{std::string(stat.substr(name_end + 1))};
  std::string skipped;
  constexpr int fields_between = 19;  // state is the third field, starttime the 22nd
  for (int field = 0; field < fields_between; ++field) fields >> skipped;
  std::int64_t started = 0;
  fields >> started;
  const bool is_zombie = stat.size() > name_end + 2 && stat[name_end + 2] == 'Z';
  return is_zombie ? 0 : started;
}

}  // namespace

std::int64_t start_of_process(std::int64_t pid) { return start_in(stat_of(pid)); }

process_life life_by(std::string_view stat, bool is_there, std::int64_t started) {
  if (stat.empty()) return is_there ? process_life::unknown : process_life::ended;
  return start_in(stat) == started ? process_life::lives : process_life::ended;
}

process_life life_of_process(std::int64_t pid, std::int64_t started) {
  const std::string stat = stat_of(pid);
  const bool is_there = !stat.empty() || ::kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH;
  return life_by(stat, is_there, started);
}

}  // namespace weft::inline v1::jobs
