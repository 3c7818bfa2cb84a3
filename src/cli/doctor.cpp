#include "cli/doctor.hpp"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <cstdio>
#include <fstream>
#include <thread>

#include <weft/jobs/store.hpp>
#include <weft/wire/json.hpp>

namespace weft::cli {
namespace {

finding ok(std::string what, std::string detail) { return {std::move(what), "ok", std::move(detail)}; }
finding warning(std::string what, std::string detail) {
  return {std::move(what), "warning", std::move(detail)};
}

finding examine_kernel() {
  utsname name{};
  uname(&name);
  return ok("kernel", std::string(name.sysname) + " " + name.release + " on " + name.machine);
}

finding examine_cores() { return ok("cores", std::to_string(std::thread::hardware_concurrency())); }

finding examine_open_files() {
  constexpr rlim_t enough = 4096;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::string detail =
      std::to_string(limit.rlim_cur) + " (at most " + std::to_string(limit.rlim_max) + ")";
  if (limit.rlim_cur >= enough) return ok("open files", detail);
  return warning("open files",
                 detail + "; a server wants 4096 or more: raise it with ulimit -n or LimitNOFILE=");
}

bool has_lightweight_guards() {
  constexpr int madv_guard_install = 102;
  constexpr std::size_t page = 4096;
  void* const probe = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) return false;
  const bool installed = madvise(probe, page, madv_guard_install) == 0;
  munmap(probe, page);
  return installed;
}

long read_number(const char* path) {
  long number = -1;
  std::ifstream(path) >> number;
  return number;
}

finding examine_stack_guards() {
  if (has_lightweight_guards())
    return ok("stack guards", "lightweight (madvise): no limit on guarded fibers");
  const long maps = read_number("/proc/sys/vm/max_map_count");
  return warning("stack guards",
                 "by mprotect: about " + std::to_string(maps / 2) +
                     " guarded fibers fit into vm.max_map_count; raise it, or use Linux 6.13 or newer");
}

finding examine_sqlite() {
  const auto found = jobs::sqlite_version();
  if (!found.has_wal_reset_bug) return ok("SQLite", found.version);
  return warning("SQLite",
                 found.version +
                     " has the WAL-reset bug (fixed in 3.51.3): weft's lock file beside the database guards "
                     "weft's own writes; let no other connection write to that file, or build weft with "
                     "-DWEFT_SQLITE_SOURCE and a newer SQLite");
}

void print_text(const doctor_report& report) {
  for (const auto& one : report.findings) {
    std::printf("%-8s %-14s %s\n", one.state.c_str(), one.what.c_str(), one.detail.c_str());
  }
}

}  // namespace

doctor_report examine() {
  return {.findings = {examine_kernel(), examine_cores(), examine_open_files(), examine_stack_guards(),
                       examine_sqlite()}};
}

int run_doctor(bool as_json) {
  const auto report = examine();
  if (as_json) {
    std::puts(wire::to_json(report).c_str());
  } else {
    print_text(report);
  }
  return 0;
}

}  // namespace weft::cli
