#include <weft/process/limits.hpp>

#include <cerrno>
#include <string>

#include <sys/resource.h>

#include <weft/core/error.hpp>

namespace weft::process {

namespace {

void apply_one(int resource, const char* name, std::optional<std::uint64_t> wanted) {
  if (!wanted) return;
  rlimit limit{*wanted, *wanted};
  if (::setrlimit(static_cast<decltype(RLIMIT_AS)>(resource), &limit) != 0) {
    throw system_error(std::string("process: set the limit ") + name + " to " + std::to_string(*wanted),
                       errno);
  }
}

}  // namespace

void apply(const limits& wanted) {
  apply_one(RLIMIT_AS, "memory_bytes", wanted.memory_bytes);
  apply_one(RLIMIT_NOFILE, "open_files", wanted.open_files);
  apply_one(RLIMIT_FSIZE, "file_bytes", wanted.file_bytes);
  apply_one(RLIMIT_CORE, "core_bytes", wanted.core_bytes);
  if (wanted.cpu_time)
    apply_one(RLIMIT_CPU, "cpu_time", static_cast<std::uint64_t>(wanted.cpu_time->count()));
}

}  // namespace weft::process
