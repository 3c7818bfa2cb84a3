#include <weft/process/limits.hpp>

#include <cerrno>
#include <string>

#include <sys/resource.h>

#include <weft/core/error.hpp>

#include "process/resource_limits.hpp"

namespace weft::inline v1::process {

namespace detail {

std::vector<resource_limit> resource_limits_of(const limits& wanted) {
  std::vector<resource_limit> all;
  const auto add = [&all](int resource, std::optional<std::uint64_t> value) {
    if (value) all.push_back({resource, {*value, *value}});
  };
  add(RLIMIT_AS, wanted.memory_bytes);
  add(RLIMIT_NOFILE, wanted.open_files);
  add(RLIMIT_FSIZE, wanted.file_bytes);
  add(RLIMIT_CORE, wanted.core_bytes);
  if (wanted.cpu_time) add(RLIMIT_CPU, static_cast<std::uint64_t>(wanted.cpu_time->count()));
  return all;
}

const char* name_of_limit(int resource) noexcept {
  switch (resource) {
    case RLIMIT_AS:
      return "memory_bytes";
    case RLIMIT_NOFILE:
      return "open_files";
    case RLIMIT_FSIZE:
      return "file_bytes";
    case RLIMIT_CORE:
      return "core_bytes";
    default:
      return "cpu_time";
  }
}

}  // namespace detail

void apply(const limits& wanted) {
  for (const auto& one : detail::resource_limits_of(wanted)) {
    if (::setrlimit(static_cast<decltype(RLIMIT_AS)>(one.resource), &one.value) == 0) continue;
    throw system_error(std::string("process: set the limit ") + detail::name_of_limit(one.resource) + " to " +
                           std::to_string(one.value.rlim_cur),
                       errno);
  }
}

}  // namespace weft::inline v1::process
