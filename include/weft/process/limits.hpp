#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace weft::inline v1::process {

/// Limits of a process; absent: as inherited.
struct limits {
  std::optional<std::uint64_t> memory_bytes = {};  ///< address space (RLIMIT_AS); allocation fails above it
  std::optional<std::chrono::seconds> cpu_time = {};  ///< used CPU time (RLIMIT_CPU); SIGXCPU ends it
  std::optional<std::uint64_t> open_files = {};       ///< descriptors (RLIMIT_NOFILE)
  std::optional<std::uint64_t> file_bytes = {};       ///< size of a written file (RLIMIT_FSIZE)
  std::optional<std::uint64_t> core_bytes = {};       ///< size of a core dump (RLIMIT_CORE)

  bool operator==(const limits&) const = default;
};

/// Applies them to this process. Throws weft::error that names the limit the system refused.
void apply(const limits& wanted);

}  // namespace weft::inline v1::process
