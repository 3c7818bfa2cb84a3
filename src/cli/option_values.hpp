#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <weft/jobs/command.hpp>
#include <weft/jobs/job.hpp>

#include "cli/arguments.hpp"

// What several commands read from their options. What is none of the kind throws CLI::ValidationError: wrong
// usage.

namespace weft::inline v1::cli {

/// Of one command.
inline constexpr std::size_t listed_at_once_max = 10'000;

jobs::job_id job_id_of(const std::string& text);
/// In the order in which a job may come to them.
std::vector<std::string> state_names();
jobs::job_state state_of(const std::string& name);
std::chrono::microseconds span_of(const std::string& text);
jobs::moment moment_of(const std::string& text);
/// A number above 0. `form`: what is to be written, for the complaint.
int count_of(const std::string& text, const char* form);
/// "30/1m".
jobs::rate_options rate_of(const std::string& text, const char* form);

/// The option --json.
void add_json(CLI::App& to, bool& as_json);
/// The option --keys of commands that only read.
void add_reading_keys(CLI::App& to, std::string& file);
/// --yes and --dry-run, of commands that change many.
void add_safeguards(CLI::App& to, bool& yes, bool& dry_run);
/// Ids of jobs, without a name of an option.
void add_ids(CLI::App& to, std::vector<jobs::job_id>& into);
/// An option that is a span of time.
CLI::Option* add_span(CLI::App& to, const char* name, std::chrono::microseconds& into, const char* purpose);
/// An option that is the id of a job, and may be said again.
void add_job_ids(CLI::App& to, const char* name, std::vector<jobs::job_id>& into, const char* purpose);
/// --exec, without which it is wrong usage, and the surroundings of a program: --directory, --env.
void add_command(CLI::App& to, jobs::command& what);

/// Takes away what follows the first "--" of `weft jobs push`, `weft batches push` and `weft schedules add`:
/// CLI11 would read the program's own options.
std::vector<std::string> take_program(int& argc, char** argv);

}  // namespace weft::inline v1::cli
