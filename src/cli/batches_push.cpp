#include "cli/batches_push.hpp"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <utility>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/wire/json.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_push.hpp"
#include "cli/jobs_store.hpp"

namespace weft::inline v1::cli {

namespace {

constexpr std::size_t batch_jobs_max = 100'000;

using programs = std::vector<closure<jobs::command_output>>;

programs read_programs(std::istream& in, const std::string& name) {
  programs all;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      all.push_back(jobs::run_command(with_variables_of_here(wire::from_json<jobs::command>(line))));
    } catch (const error& bad) {
      throw error(bad.code(), name + ", line " + std::to_string(number) + ": " + bad.message());
    }
    if (all.size() > batch_jobs_max)
      throw error(errc::too_large, name + ": more than " + std::to_string(batch_jobs_max) +
                                       " programs; push more of them with weft jobs push --batch");
  }
  if (in.bad()) throw error(errc::io_error, name + ": it cannot be read");
  if (all.empty()) {
    throw error(errc::invalid_argument,
                name + R"(: no program; write a line for each: {"arguments": ["backup", "/srv"]})");
  }
  return all;
}

programs programs_of(const std::string& file) {
  if (file == "-") return read_programs(std::cin, "stdin");
  std::ifstream in(file);
  if (!in) throw error(errc::not_found, file + ": it cannot be opened");
  return read_programs(in, file);
}

/// The last job waits for the others, not for a moment.
jobs::push_options options_of_last(const jobs::push_options& of) {
  jobs::push_options how;
  how.queue = of.queue;
  how.priority = of.priority;
  how.timeout = of.timeout;
  how.max_attempts = of.max_attempts;
  how.tags = of.tags;
  return how;
}

}  // namespace

int run_batches_push(const batches_push_options& options) {
  return guarded("weft batches push", [&] {
    const auto all = programs_of(options.file);
    auto then = with_variables_of_here(options.then);
    if (then.arguments.empty()) then.arguments = {"true"};
    jobs::queue queue(options.store, {.keys = needed_keys(options.keys)});
    const auto pushed =
        queue.push_batch(all, jobs::run_command(std::move(then)), options.how, options_of_last(options.how));
    print_pushed(pushed.id, options.as_json);
    return exit_ok;
  });
}

}  // namespace weft::inline v1::cli
