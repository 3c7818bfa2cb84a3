#pragma once

#include <cstddef>
#include <cstdlib>
#include <string>

namespace weft::bench {

/// A number of thousands of jobs, which the environment may change.
inline std::size_t thousands(const char* variable, std::size_t otherwise) {
  const char* const text = std::getenv(variable);
  return 1'000 * (text == nullptr ? otherwise : std::strtoull(text, nullptr, 10));
}

inline std::string in_thousands(std::size_t count) { return std::to_string(count / 1'000) + "k"; }

}  // namespace weft::bench
