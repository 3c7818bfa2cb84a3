#include <cstdio>
#include <string>

#include "interleaving/pool_programs.hpp"

// Prints what the program of pools that is named first finds wrong: a variant of the code is linked in.
int main(int count, char** arguments) {
  if (count != 2) return 2;
  const auto tried = explore::pool_program(arguments[1]);
  if (tried.complete) {
    std::puts("nothing");
  } else {
    std::puts(tried.failure.substr(0, tried.failure.find('\n')).c_str());
  }
  std::fflush(stdout);
  std::_Exit(0);  // threads may be left where they were
}
