#include "service/environment.hpp"

#include <unistd.h>
#include <charconv>
#include <cstdlib>
#include <limits>

#include <weft/core/error.hpp>

namespace weft::inline v1::ops::detail {

std::optional<std::string> take_variable(const char* name) {
  const char* const found = std::getenv(name);
  if (found == nullptr) return std::nullopt;
  std::string value(found);
  ::unsetenv(name);
  if (value.empty()) return std::nullopt;
  return value;
}

std::uint64_t number_in(const char* name, const std::string& text, std::uint64_t most) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc() || at != end || number > most) {
    throw error(errc::invalid_argument, std::string(name) + " is \"" + text +
                                            "\", not a whole number up to " + std::to_string(most) +
                                            "; it is for the service manager to set");
  }
  return number;
}

bool is_for_this_process(const char* name, const std::optional<std::string>& pid) {
  constexpr std::uint64_t pid_max = std::numeric_limits<pid_t>::max();
  return !pid || number_in(name, *pid, pid_max) == static_cast<std::uint64_t>(::getpid());
}

}  // namespace weft::inline v1::ops::detail
