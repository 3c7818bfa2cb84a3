#include "cli/workers.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include <weft/core/error.hpp>
#include <weft/log/escape.hpp>
#include <weft/net/endpoint.hpp>
#include <weft/wire/json.hpp>

#include "cli/age_text.hpp"
#include "cli/exit_status.hpp"
#include "cli/keys_in.hpp"
#include "cli/printed_error.hpp"

namespace weft::inline v1::cli {

namespace {

std::string_view name_of(workers::server_state of) {
  switch (of) {
    case workers::server_state::running:
      return "running";
    case workers::server_state::crash_loop:
      return "crash loop";
    case workers::server_state::stopping:
      return "stopping";
  }
  return "?";
}

std::string_view name_of(workers::worker_state of) {
  switch (of) {
    case workers::worker_state::ready:
      return "ready";
    case workers::worker_state::idle:
      return "idle";
    case workers::worker_state::busy:
      return "busy";
  }
  return "?";
}

std::string memory_text(std::uint64_t bytes) {
  constexpr double mib = 1024 * 1024;
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / mib);
  return text;
}

using row = std::array<std::string, 6>;

row row_of(const workers::worker_figures& from) {
  return {std::to_string(from.pid),         std::string(name_of(from.state)), age_text(from.age),
          memory_text(from.resident_bytes), std::to_string(from.checkouts),   std::to_string(from.calls)};
}

// Columns as wide as their widest cell, the right edges in line.
std::string table_of(const std::vector<row>& rows) {
  std::array<std::size_t, std::tuple_size_v<row>> widths{};
  for (const auto& one : rows) {
    for (std::size_t i = 0; i < one.size(); ++i) widths[i] = std::max(widths[i], one[i].size());
  }
  std::string text;
  for (const auto& one : rows) {
    for (std::size_t i = 0; i < one.size(); ++i) {
      text.append(widths[i] - one[i].size() + (i == 0 ? 0 : 2), ' ').append(one[i]);
    }
    text += '\n';
  }
  return text;
}

std::string head_of(const workers::server_figures& from) {
  std::string text = "server ";
  if (!from.name.empty()) {
    log::append_quoted(text, from.name);
    text += ' ';
  }
  text += std::to_string(from.pid) + ": " + std::string(name_of(from.state));
  if (from.state == workers::server_state::crash_loop) {
    text += ", goes on in " + std::to_string(from.resumes_in.count()) + " ms";
  }
  text += ", for " + age_text(from.age) + ", " + memory_text(from.resident_bytes) + '\n';
  return text;
}

}  // namespace

std::string workers_text(const workers::server_figures& from) {
  std::string text = head_of(from);
  text += "workers: " + std::to_string(from.workers.size()) + " of at most " +
          std::to_string(from.max_workers) + "; forked " + std::to_string(from.forked) + ", died " +
          std::to_string(from.died) + ", recycled " + std::to_string(from.recycled) + '\n';
  text += "clients: " + std::to_string(from.waiting) + " wait for a worker, " + std::to_string(from.silent) +
          " have not said a word; " + std::to_string(from.refused) + " were refused\n";
  if (from.workers.empty()) return text;
  std::vector<row> rows{{"PID", "STATE", "AGE", "MEMORY", "CHECKOUTS", "CALLS"}};
  for (const auto& one : from.workers) rows.push_back(row_of(one));
  return text + '\n' + table_of(rows);
}

int run_workers(const workers_options& options) {
  int failed = exit_usage;
  try {
    (void)net::endpoint::parse(options.address);
    const auto keys = keys_in(options.key_file);
    failed = exit_failed;
    const auto figures = workers::server_status(options.address, options.timeout, keys);
    const auto text = options.as_json ? wire::to_json(figures) + '\n' : workers_text(figures);
    std::fputs(text.c_str(), stdout);
    return std::fflush(stdout) == 0 ? exit_ok : exit_failed;
  } catch (const error&) {
    std::fputs(error_text("weft workers", std::current_exception()).c_str(), stderr);
    return failed;
  }
}

}  // namespace weft::inline v1::cli
