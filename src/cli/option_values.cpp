#include "cli/option_values.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>

#include <weft/config/units.hpp>

#include "cli/time_text.hpp"

namespace weft::inline v1::cli {

jobs::job_id job_id_of(const std::string& text) {
  const auto id = jobs::job_id_from_string(text);
  if (!id) throw CLI::ValidationError("\"" + text + "\" is no id of a job");
  return *id;
}

std::vector<std::string> state_names() {
  using enum jobs::job_state;
  std::vector<std::string> all;
  for (const auto one : {scheduled, ready, running, blocked, done, dead, cancelled, quarantined})
    all.emplace_back(to_string(one));
  return all;
}

jobs::job_state state_of(const std::string& name) {
  const auto state = jobs::job_state_from_string(name);
  if (state) return *state;
  std::string names;
  for (const auto& one : state_names()) names += (names.empty() ? "" : ", ") + one;
  throw CLI::ValidationError("\"" + name + "\" is no state; they are " + names);
}

std::chrono::microseconds span_of(const std::string& text) {
  const auto span = config::duration_from_text(text);
  if (!span) throw CLI::ValidationError("\"" + text + "\" is no span of time; write 90s, 1h30m, 7d");
  return *span;
}

jobs::moment moment_of(const std::string& text) {
  const auto at = moment_from_text(text);
  if (!at) {
    throw CLI::ValidationError("\"" + text +
                               "\" is no moment; write 2026-12-24T18:00, of the clock here, or "
                               "2026-12-24T18:00Z, 2026-12-24T18:00+01:00");
  }
  return *at;
}

int count_of(const std::string& text, const char* form) {
  int count = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), count);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || count < 1)
    throw CLI::ValidationError("\"" + text + "\" is no number above 0; write " + form);
  return count;
}

jobs::rate_options rate_of(const std::string& text, const char* form) {
  const auto mark = text.find('/');
  if (mark == std::string::npos) throw CLI::ValidationError("\"" + text + "\" is no rate; write " + form);
  jobs::rate_options rate;
  rate.count = count_of(text.substr(0, mark), form);
  rate.period = span_of(text.substr(mark + 1));
  return rate;
}

void add_json(CLI::App& to, bool& as_json) { to.add_flag("--json", as_json, "Print JSON"); }

void add_reading_keys(CLI::App& to, std::string& file) {
  to.add_option("--keys", file,
                "Key file, to show what only the signed envelope says; else $WEFT_KEYS; none is needed")
      ->type_name("FILE");
}

void add_safeguards(CLI::App& to, bool& yes, bool& dry_run) {
  auto* const sure = to.add_flag("-y,--yes", yes, "Do not ask");
  to.add_flag("-n,--dry-run", dry_run, "Say how many, and change nothing")->excludes(sure);
}

void add_ids(CLI::App& to, std::vector<jobs::job_id>& into) {
  to.add_option_function<std::vector<std::string>>(
        "id",
        [&into](const std::vector<std::string>& all) {
          for (const auto& one : all) into.push_back(job_id_of(one));
        },
        "Ids of jobs")
      ->type_name("ID");
}

CLI::Option* add_span(CLI::App& to, const char* name, std::chrono::microseconds& into, const char* purpose) {
  return to
      .add_option_function<std::string>(
          name, [&into](const std::string& text) { into = span_of(text); }, purpose)
      ->type_name("SPAN");
}

void add_job_ids(CLI::App& to, const char* name, std::vector<jobs::job_id>& into, const char* purpose) {
  to.add_option_function<std::vector<std::string>>(
        name,
        [&into](const std::vector<std::string>& all) {
          for (const auto& one : all) into.push_back(job_id_of(one));
        },
        purpose)
      ->type_name("ID")
      ->allow_extra_args(false);
}

void add_command(CLI::App& to, jobs::command& what) {
  to.add_flag("--exec")->description("A program and its arguments follow behind --")->required();
  to.add_option("--directory", what.directory, "Where it works; where the worker does unless said")
      ->type_name("FOLDER")
      ->transform([](const std::string& path) { return std::filesystem::absolute(path).string(); });
  to.add_option("--env", what.environment,
                "NAME=VALUE for its environment, or NAME with the value it has here; several: again")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

std::vector<std::string> take_program(int& argc, char** argv) {
  if (argc < 3) return {};
  const std::string_view group = argv[1];
  const std::string_view name = argv[2];
  const bool has_program =
      ((group == "jobs" || group == "batches") && name == "push") || (group == "schedules" && name == "add");
  if (!has_program) return {};
  char** const mark = std::find(argv, argv + argc, std::string_view("--"));
  if (mark == argv + argc) return {};
  std::vector<std::string> program(mark + 1, argv + argc);
  argc = static_cast<int>(mark - argv);
  return program;
}

}  // namespace weft::inline v1::cli
