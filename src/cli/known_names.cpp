#include "cli/known_names.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <weft/core/error.hpp>
#include <weft/jobs/store.hpp>
#include <weft/process/exec.hpp>
#include <weft/process/self.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"

namespace weft::inline v1::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 500ms;
constexpr std::size_t shown_max = 100;
constexpr std::size_t looked_at_max = 1000;  // jobs
constexpr std::size_t bytes_max = std::size_t{64} * 1024;

/// A shell puts it on the command line as it is: what would mean something there is not offered.
bool is_harmless(std::string_view name) {
  constexpr std::string_view marks = "_.,:+@%/-";
  return !name.empty() && name.front() != '-' && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

void print(std::string_view name, std::string_view begun, std::string_view purpose) {
  if (!is_harmless(name) || !name.starts_with(begun)) return;
  const std::string line = std::string(name) + '\t' + std::string(is_harmless(purpose) ? purpose : "") + '\n';
  std::fputs(line.c_str(), stdout);
}

void print_queues(jobs::store& of, std::string_view begun) {
  std::size_t shown = 0;
  for (const auto& one : of.stats()) {
    if (shown++ < shown_max) print(one.queue, begun, one.paused ? "paused" : "");
  }
}

void print_jobs(jobs::store& of, std::string_view begun) {
  std::size_t shown = 0;
  for (const auto& one : of.list({.queue = {}, .state = {}, .before = {}, .limit = looked_at_max})) {
    const std::string id = to_string(one.id);
    if (!id.starts_with(begun) || ++shown > shown_max) continue;
    print(id, begun, one.handler.substr(0, one.handler.find('(')) + ',' + std::string(to_string(one.state)));
  }
}

void print_tags(jobs::store& of, std::string_view begun) {
  for (const auto& one : of.tags(begun, "", shown_max)) print(one, begun, "");
}

void print_limits(jobs::store& of, std::string_view begun) {
  for (const auto& one : of.limits(begun, shown_max)) print(one.is.key, begun, one.pinned ? "set" : "");
}

}  // namespace

void add_known_names(completions& to) {
  if (to.names.empty() || to.database.empty()) return;
  try {
    exec_options how;
    how.timeout = patience;
    how.truncate_output = true;
    how.output_bytes_max = bytes_max;
    how.program.environment = {"WEFT_DB=" + to.database};  // not an argument, which others could read
    how.program.grace = 0ms;
    const auto done = exec({process::own_program, "__names", to.names, to.begun}, how);
    for (std::size_t start = 0; start < done.out.size();) {
      const auto end = done.out.find('\n', start);
      if (end == std::string::npos) break;
      const std::string line = done.out.substr(start, end - start);
      const auto mark = std::min(line.find('\t'), line.size());
      to.candidates.push_back(
          {to.before + line.substr(0, mark), mark < line.size() ? line.substr(mark + 1) : std::string()});
      start = end + 1;
    }
  } catch (const error&) {  // it took too long, or could not be started: then nothing is known
  }
}

int print_known_names(std::string_view kind, std::string_view begun) {
  const char* const database = std::getenv("WEFT_DB");
  if (database == nullptr) return exit_ok;
  try {
    const auto store = open_existing(database);
    if (kind == "QUEUE") print_queues(*store, begun);
    if (kind == "ID") print_jobs(*store, begun);
    if (kind == "TAG") print_tags(*store, begun);
    if (kind == "LIMIT") print_limits(*store, begun);
  } catch (const error&) {  // nobody reads a complaint at a prompt
  }
  return exit_ok;
}

}  // namespace weft::inline v1::cli
