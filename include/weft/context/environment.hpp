#pragma once

#include <optional>
#include <string>
#include <vector>

#include <weft/context/context.hpp>

namespace weft::inline v1 {

/// A variable for the environment of a child process.
struct environment_variable {
  std::string name;
  std::optional<std::string> value;  ///< nothing: the child does not have it, though this process may
};

/// Says which part of a context a child process finds in its environment. It neither waits nor logs.
using environment_source = void (*)(const context& of, std::vector<environment_variable>& into);

/// How many there may be.
inline constexpr int environment_sources_max = 8;

/// Has `source` asked for each child that is spawned from here on; again for the same one has no effect.
/// Throws weft::error (resource_exhausted) beyond environment_sources_max. Any thread.
void add_environment_source(environment_source source);

/// What all sources say of that context.
std::vector<environment_variable> environment_of(const context& of);

}  // namespace weft::inline v1
