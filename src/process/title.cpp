#include <cstring>
#include <string_view>

#include <sys/prctl.h>

#include <weft/process/self.hpp>

namespace weft::inline v1::process {

namespace {

// The kernel shows what is in the memory of the arguments. Constant after start.
char* arguments_begin = nullptr;
std::size_t arguments_bytes = 0;

// The C library hands main's arguments to constructors. Arguments lie one behind the other.
__attribute__((constructor)) void find_arguments(int argc, char** argv, char**) {
  if (argc <= 0 || argv == nullptr || argv[0] == nullptr) return;
  char* end = argv[0];
  for (int i = 0; i < argc && argv[i] == end; ++i) end = argv[i] + std::strlen(argv[i]) + 1;
  arguments_begin = argv[0];
  arguments_bytes = static_cast<std::size_t>(end - argv[0]);
}

}  // namespace

void set_title(std::string_view title) noexcept {
  char name[16] = {};
  title.copy(name, sizeof name - 1);
  ::prctl(PR_SET_NAME, name, 0, 0, 0);
  if (arguments_bytes == 0) return;
  // The last byte stays 0; the rest is filled up, so that nothing of the former arguments shows.
  std::memset(arguments_begin, 0, arguments_bytes);
  title.copy(arguments_begin, arguments_bytes - 1);
}

}  // namespace weft::inline v1::process
