#include "jobs/host.hpp"

#include <climits>
#include <fstream>
#include <sstream>

#include <unistd.h>

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

std::int64_t start_of_process(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  // The second field is the program's name in parentheses, which may hold anything.
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  constexpr int fields_between = 19;  // state is the third field, starttime the 22nd
  for (int field = 0; field < fields_between; ++field) fields >> skipped;
  std::int64_t started = 0;
  fields >> started;
  const bool is_zombie = line.size() > name_end + 2 && line[name_end + 2] == 'Z';
  return is_zombie ? 0 : started;
}

}  // namespace weft::inline v1::jobs
