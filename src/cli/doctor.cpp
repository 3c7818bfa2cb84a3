#include "cli/doctor.hpp"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <cstdio>
#include <fstream>
#include <thread>

#include <weft/fiber/stack_guard.hpp>
#include <weft/jobs/store.hpp>
#include <weft/wire/json.hpp>

namespace weft::inline v1::cli {
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

long read_number(const char* path) {
  long number = -1;
  std::ifstream(path) >> number;
  return number;
}

finding examine_stack_guards() {
  switch (stack_guard_in_use()) {
    case stack_guard::lightweight:
      break;
    case stack_guard::mprotect: {
      const long maps = read_number("/proc/sys/vm/max_map_count");
      return warning("stack guards",
                     "mprotect: about " + std::to_string(maps / 2) +
                         " guarded fibers fit into vm.max_map_count; raise it, or use Linux 6.13 "
                         "or newer");
    }
    case stack_guard::canary:
      return warning(
          "stack guards",
          "canary: an overflow is found after it happened, and each fiber takes a page more; allow "
          "madvise or mprotect, or unset WEFT_STACK_GUARD");
  }
  return ok("stack guards", "lightweight: no limit on guarded fibers");
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

}  // namespace weft::inline v1::cli
