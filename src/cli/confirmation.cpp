#include "cli/confirmation.hpp"

#include <cstdio>

#include <unistd.h>

#include "cli/exit_status.hpp"

namespace weft::inline v1::cli {

std::optional<bool> confirmed(const std::string& question) {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) return std::nullopt;
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  std::fflush(stderr);
  char answer[16] = "";
  if (std::fgets(answer, sizeof answer, stdin) == nullptr) return false;
  return answer[0] == 'y' || answer[0] == 'Y';
}

int ask_first(bool yes, const char* command, const std::string& question) {
  if (yes) return exit_ok;
  const auto answer = confirmed(question);
  if (!answer) {
    std::fprintf(stderr,
                 "%s: there is no terminal to ask on; say --yes, or --dry-run to see what would be done\n",
                 command);
    return exit_usage;
  }
  return *answer ? exit_ok : exit_failed;
}

}  // namespace weft::inline v1::cli
