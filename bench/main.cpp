// weft_bench: prints the table of figures. bench/README.md says how to read it and how to add to it.

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/child.hpp"
#include "support/figure.hpp"
#include "support/machine.hpp"
#include "support/report.hpp"

namespace weft::bench {

std::vector<figure>& figures() {
  static std::vector<figure> all;
  return all;
}

namespace {

constexpr const char* usage =
    "Usage: weft_bench [GROUP...] [--store KIND] [--json FILE] [--runs N] [--only TEXT] [--ours] [--list]\n"
    "\n"
    "Measures the figures of the groups, or of all; each side in turn, N times (5).\n"
    "  --store KIND  of the figures that measure a database, only those of sqlite, or of postgres\n"
    "  --json FILE   also write the rows to FILE as JSON\n"
    "  --only TEXT   only figures whose name contains TEXT\n"
    "  --ours        only our side, for a profiler: no peers, no ratios\n"
    "  --list        name the figures and measure nothing\n";

struct request {
  std::vector<std::string> groups;
  std::string json_file;
  std::string only;
  std::string store;
  int runs = 5;
  bool ours = false;
  bool list = false;
  bool help = false;
};

struct bad_usage {
  std::string why;
};

bool is_known_group(std::string_view name) {
  return std::any_of(figures().begin(), figures().end(),
                     [&](const figure& one) { return one.group == name; });
}

int number_of_runs(const std::string& text) {
  int number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || number < 1) {
    throw bad_usage{"--runs must be a number above 0, not '" + text + "'"};
  }
  return number;
}

std::string known_store(std::string kind) {
  const bool is_known =
      std::any_of(figures().begin(), figures().end(), [&](const figure& one) { return one.store == kind; });
  if (kind.empty() || !is_known) throw bad_usage{"--store must be sqlite or postgres, not '" + kind + "'"};
  return kind;
}

request read_arguments(const std::vector<std::string>& arguments) {
  request asked;
  for (std::size_t at = 0; at < arguments.size(); ++at) {
    const std::string& one = arguments[at];
    const auto value = [&] {
      if (++at == arguments.size()) throw bad_usage{one + " needs a value"};
      return arguments[at];
    };
    if (one == "--json")
      asked.json_file = value();
    else if (one == "--only")
      asked.only = value();
    else if (one == "--store")
      asked.store = known_store(value());
    else if (one == "--runs")
      asked.runs = number_of_runs(value());
    else if (one == "--ours")
      asked.ours = true;
    else if (one == "--list")
      asked.list = true;
    else if (one == "--help" || one == "-h")
      asked.help = true;
    else if (is_known_group(one))
      asked.groups.push_back(one);
    else
      throw bad_usage{"there is no group or option '" + one + "'; --list names the groups"};
  }
  return asked;
}

figure without_peers(figure one) {
  one.baseline.clear();
  one.peer = {};
  one.more.clear();
  if (one.target.of == target::kind::ratio) one.target = {};
  return one;
}

/// The figures asked for, by group in order of name; within a group as declared.
std::vector<figure> chosen(const request& asked) {
  std::vector<figure> found;
  for (const auto& one : figures()) {
    const bool in_group = asked.groups.empty() || std::find(asked.groups.begin(), asked.groups.end(),
                                                            one.group) != asked.groups.end();
    const bool in_store = asked.store.empty() || one.store.empty() || one.store == asked.store;
    if (!in_group || !in_store || one.name.find(asked.only) == std::string::npos) continue;
    found.push_back(asked.ours ? without_peers(one) : one);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const figure& a, const figure& b) { return a.group < b.group; });
  return found;
}

void show_progress(const figure& one) {
  if (isatty(STDERR_FILENO) == 1)
    std::fprintf(stderr, "\r\033[K%s: %s ...", one.group.c_str(), one.name.c_str());
}

void clear_progress() {
  if (isatty(STDERR_FILENO) == 1) std::fprintf(stderr, "\r\033[K");
}

int run(const request& asked) {
  std::ofstream json;
  if (!asked.json_file.empty()) {
    json.open(asked.json_file);
    if (!json) throw bad_usage{"cannot write to '" + asked.json_file + "'"};
  }
  for (const auto& [name, value] : describe_machine()) std::printf("%s: %s\n", name.c_str(), value.c_str());
  std::vector<row> rows;
  table out(stdout);
  for (const auto& one : chosen(asked)) {
    show_progress(one);
    const auto measured = measure(one, one.once ? 1 : asked.runs);
    clear_progress();
    for (const row& each : measured) out.print(each);
    rows.insert(rows.end(), measured.begin(), measured.end());
  }
  out.print_summary(rows);
  if (json.is_open() && !(json << to_json(rows) << std::flush))
    throw bad_usage{"cannot write to '" + asked.json_file + "'"};
  return 0;
}

int run_arguments(const std::vector<std::string>& arguments) {
  try {
    const request asked = read_arguments(arguments);
    if (asked.help) {
      std::fputs(usage, stdout);
      return 0;
    }
    if (!asked.list) return run(asked);
    for (const auto& one : chosen(asked)) std::printf("%s: %s\n", one.group.c_str(), one.name.c_str());
    return 0;
  } catch (const bad_usage& problem) {
    std::fprintf(stderr, "weft_bench: %s\n%s", problem.why.c_str(), usage);
    return 2;
  }
}

}  // namespace
}  // namespace weft::bench

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  // How the program runs a measurement in a process of its own; see support/child.hpp.
  if (arguments.size() == 2 && arguments[0] == "--probe") return weft::bench::run_probe(arguments[1]);
  return weft::bench::run_arguments(arguments);
}
