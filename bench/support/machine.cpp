#include "support/machine.hpp"

#include <sys/utsname.h>

#include <fstream>
#include <thread>

namespace weft::bench {
namespace {

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const bool names_it = line.starts_with("model name") || line.starts_with("CPU part");
    const auto colon = line.find(": ");
    if (names_it && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string kernel() {
  utsname names{};
  uname(&names);
  return std::string(names.sysname) + " " + names.release + " " + names.machine;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> describe_machine() {
  return {{"processor", processor()},
          {"processors", std::to_string(std::thread::hardware_concurrency())},
          {"kernel", kernel()},
          {"compiler", WEFT_BENCH_COMPILER},
          {"build", WEFT_BENCH_BUILD}};
}

}  // namespace weft::bench
