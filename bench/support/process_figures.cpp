#include "support/process_figures.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace weft::bench {

double resident_bytes() {
  std::ifstream pages_file("/proc/self/statm");
  double size = 0;
  double resident = 0;
  pages_file >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

std::size_t mappings() {
  std::ifstream maps("/proc/self/maps");
  return static_cast<std::size_t>(
      std::count(std::istreambuf_iterator<char>(maps), std::istreambuf_iterator<char>(), '\n'));
}

}  // namespace weft::bench
