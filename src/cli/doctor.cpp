#include "cli/doctor.hpp"

#include <sys/resource.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>
#include <thread>

#include <weft/core/error.hpp>
#include <weft/fiber/stack_guard.hpp>
#include <weft/jobs/maintenance.hpp>
#include <weft/jobs/store.hpp>
#include <weft/jobs/time_zone.hpp>
#include <weft/log/escape.hpp>
#include <weft/wire/json.hpp>
#include <weft/wire/key_ring.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"

namespace weft::inline v1::cli {
namespace {

finding ok(std::string what, std::string detail) { return {std::move(what), "ok", std::move(detail)}; }
finding warning(std::string what, std::string detail) {
  return {std::move(what), "warning", std::move(detail)};
}

finding problem(std::string what, std::string detail) {
  return {std::move(what), "error", std::move(detail)};
}

finding examine_kernel() {
  utsname name{};
  uname(&name);
  const std::string detail = std::string(name.sysname) + " " + name.release + " on " + name.machine;
  int major = 0;
  int minor = 0;
  if (std::sscanf(name.release, "%d.%d", &major, &minor) == 2 && std::pair(major, minor) < std::pair(5, 10)) {
    return problem("kernel", detail + "; weft needs Linux 5.10 or newer");
  }
  return ok("kernel", detail);
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

/// Schedules, leases and retries go by the clock; several machines need the same one.
finding examine_clock() {
  timex state{};
  const int status = ::adjtimex(&state);
  if (status == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
    return warning("clock",
                   "not kept on time by the kernel's account; let chrony or systemd-timesyncd do it where "
                   "several machines work on one database");
  }
  return ok("clock", "kept on time");
}

finding examine_time_zones() {
  try {
    const jobs::time_zone one("Europe/Berlin");
    return ok("time zones", "there");
  } catch (const error&) {
    return warning("time zones", "no rules are installed, so schedules work in UTC only; install tzdata");
  }
}

finding examine_keys(const std::string& file) {
  const std::string where = file.empty() ? "in WEFT_KEYS" : "in " + file;
  try {
    const auto keys = keys_where_given(file);
    if (keys == nullptr) {
      return ok("keys",
                "none named (--keys, WEFT_KEYS); jobs are pushed and run with some: weft keys generate");
    }
    const auto ids = keys->ids();
    return ok("keys", std::to_string(ids.size()) + ' ' + where + "; \"" + ids.front() + "\" signs");
  } catch (const error& failed) {
    return problem("keys", failed.message());
  }
}

finding examine_schema(const jobs::database_facts& found) {
  const std::string version = std::to_string(found.schema_version);
  if (found.schema_version == 0) {
    return warning("schema", "none yet in " + found.path + "; weft db migrate makes it, as its owner");
  }
  if (found.schema_version < found.schema_known) {
    return warning("schema", version + ", and this build knows " + std::to_string(found.schema_known) +
                                 ": weft db migrate, once no older build is needed");
  }
  return ok("schema", version);
}

std::string seconds_text(std::chrono::microseconds span) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", std::chrono::duration<double>(span).count());
  return text;
}

finding examine_servers_clock(std::chrono::microseconds ahead) {
  constexpr std::chrono::seconds enough{1};
  const std::string detail = "the server's is " + seconds_text(std::chrono::abs(ahead)) +
                             (ahead.count() < 0 ? " behind this machine's" : " ahead of this machine's");
  if (std::chrono::abs(ahead) < enough) return ok("server clock", detail);
  return warning("server clock", detail + "; keep both on time");
}

void examine_database(const std::string& url, std::vector<finding>& into) {
  if (url.empty()) {
    into.push_back(ok("database", "none named (--db, WEFT_DB)"));
    return;
  }
  try {
    const auto found = jobs::look_at_database(url);
    into.push_back(ok("database", found.software + " at " + found.path));
    into.push_back(examine_schema(found));
    if (found.clock_ahead) into.push_back(examine_servers_clock(*found.clock_ahead));
  } catch (const error& failed) {
    into.push_back(problem("database", failed.message()));
  }
}

void print_text(const doctor_report& report) {
  for (const auto& one : report.findings) {
    std::string detail;  // a server's own text, for one
    log::append_escaped(detail, one.detail);
    std::printf("%-8s %-14s %s\n", one.state.c_str(), one.what.c_str(), detail.c_str());
  }
}

}  // namespace

doctor_report examine(const doctor_options& options) {
  doctor_report report{.findings = {examine_kernel(), examine_cores(), examine_open_files(),
                                    examine_stack_guards(), examine_sqlite(), examine_clock(),
                                    examine_time_zones(), examine_keys(options.keys)}};
  examine_database(options.db, report.findings);
  return report;
}

int run_doctor(const doctor_options& options) {
  return guarded("weft doctor", [&] {
    const auto report = examine(options);
    if (options.as_json) {
      std::puts(wire::to_json(report).c_str());
    } else {
      print_text(report);
    }
    const bool is_fit =
        std::ranges::none_of(report.findings, [](const finding& one) { return one.state == "error"; });
    return is_fit ? exit_ok : exit_failed;
  });
}

}  // namespace weft::inline v1::cli
