#pragma once

#include <cerrno>
#include <string>
#include <type_traits>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/executor/blocking.hpp>

namespace weft::inline v1::files::detail {

/// Runs `work`, which owns what it needs, on the pool. A caller that is cancelled is free at once.
template <typename Work>
auto off_loop(Work&& work) {
  auto done = blocking_until(no_deadline, std::forward<Work>(work));
  if constexpr (!std::is_void_v<std::invoke_result_t<std::decay_t<Work>&>>) return *std::move(done);
}

[[noreturn]] inline void throw_failed(const char* tried, const std::string& path, int errno_value) {
  throw system_error("files: " + std::string(tried) + " \"" + path + "\"", errno_value);
}

/// A system call again for as long as a signal interrupts it.
template <typename Call>
auto uninterrupted(Call&& call) {
  while (true) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

/// The system would end the path at a zero byte.
inline void check_path(const std::string& path) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    throw error(errc::invalid_argument,
                path.empty() ? "files: an empty path" : "files: a path with a zero byte");
  }
}

}  // namespace weft::inline v1::files::detail
