#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <weft/jobs/command.hpp>
#include <weft/jobs/job.hpp>

#include "cli/arguments.hpp"

// What several commands read from their options. What is none of the kind throws CLI::ValidationError: wrong
// usage.

namespace weft::cli {

jobs::job_id job_id_of(const std::string& text);
jobs::job_state state_of(const std::string& name);
std::chrono::microseconds span_of(const std::string& text);

/// The option --json.
void add_json(CLI::App& to, bool& as_json);
/// An option that is a span of time.
void add_span(CLI::App& to, const char* name, std::chrono::microseconds& into, const char* purpose);
/// An option that is the id of a job, and may be said again.
void add_job_ids(CLI::App& to, const char* name, std::vector<jobs::job_id>& into, const char* purpose);
/// --exec, without which it is wrong usage, and the surroundings of a program: --directory, --env.
void add_command(CLI::App& to, jobs::command& what);

/// Takes away what follows the first "--" of `weft jobs push` and `weft schedules add`: CLI11 would read the
/// program's own options.
std::vector<std::string> take_program(int& argc, char** argv);

}  // namespace weft::cli
