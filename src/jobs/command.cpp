#include <weft/jobs/command.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string_view>
#include <utility>

#include <weft/context/environment.hpp>
#include <weft/core/failure.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/jobs/control.hpp>
#include <weft/log/escape.hpp>
#include <weft/log/log.hpp>
#include <weft/process/exec.hpp>

namespace weft::inline v1::jobs {
namespace {

/// Of the message of an error, and of what is logged.
constexpr std::size_t told_bytes_max = 2048;

/// That a worker may run commands, and how.
struct command_permission {
  command_options options;
};

std::string_view end_of(std::string_view text) {
  return text.substr(text.size() - std::min(text.size(), told_bytes_max));
}

std::string_view name_of(std::string_view variable) { return variable.substr(0, variable.find('=')); }

std::string text_of(const command& what) {
  std::string text;
  for (const auto& one : what.arguments) {
    if (!text.empty()) text += ' ';
    log::append_quoted(text, one);
  }
  constexpr std::size_t shown_max = 200;
  return text.size() <= shown_max ? text : log::to_utf8(text.substr(0, shown_max)) + "...";
}

/// The variables of a program; the command's own replace others.
std::vector<std::string> environment_for(const command& what, const command_options& options,
                                         const control& job) {
  std::map<std::string, std::string, std::less<>> variables;
  for (const auto& name : options.pass) {
    if (const char* const value = std::getenv(name.c_str())) variables[name] = name + '=' + value;
  }
  for (const auto& one : environment_of(context::capture())) {
    if (one.value) variables[one.name] = one.name + '=' + *one.value;
  }
  variables["WEFT_JOB_ID"] = "WEFT_JOB_ID=" + to_string(job.id());
  variables["WEFT_JOB_ATTEMPT"] = "WEFT_JOB_ATTEMPT=" + std::to_string(job.attempt());
  for (const auto& one : what.environment) variables.insert_or_assign(std::string(name_of(one)), one);
  std::vector<std::string> all;
  for (auto& [name, text] : variables) all.push_back(std::move(text));
  return all;
}

exec_options how_to_run(const command& what, const command_options& options, const control& job) {
  exec_options how;
  how.output_bytes_max = std::min(options.output_bytes_max, command_output_bytes_max);
  how.truncate_output = true;
  how.keep_end = true;
  how.program.directory = what.directory;
  how.program.environment = environment_for(what, options, job);
  how.program.clear_environment = true;
  how.program.die_with_thread = options.die_with_thread;
  how.program.grace = options.grace;
  return how;
}

std::string with_errors(std::string message, const exec_result& done) {
  const auto errors = log::to_utf8(end_of(done.err));
  if (!errors.empty()) message += ": " + errors.substr(0, errors.find_last_not_of('\n') + 1);
  return message;
}

[[noreturn]] void fail(const command& what, const exec_result& done) {
  const auto status = to_string(done.status);
  log::warn(
      "jobs: a command failed",
      {{"command", text_of(what)}, {"status", status}, {"out", end_of(done.out)}, {"err", end_of(done.err)}});
  throw command_failed(with_errors("jobs: run the command " + text_of(what) + ": " + status, done));
}

exec_result result_of(const command& what, const command_options& options, const control& job) {
  exec_result so_far;
  auto how = how_to_run(what, options, job);
  how.until_given_up = &so_far;
  try {
    return exec(what.arguments, std::move(how));
  } catch (const cancelled& given_up) {
    log::warn("jobs: a command was ended before it had ended by itself",
              {{"command", text_of(what)},
               {"reason", to_string(given_up.reason())},
               {"out", log::to_utf8(so_far.out)},
               {"err", log::to_utf8(so_far.err)}});
    if (given_up.reason() != cancel_reason::deadline) throw;
    // Its attempt has no other work whose time this was.
    throw deadline_exceeded(with_errors(
        "jobs: run the command " + text_of(what) + ": it still ran at its timeout, and was ended", so_far));
  }
}

command_output run(const command& what, const command_options& options, const control& job) {
  const auto done = result_of(what, options, job);
  if (!done.ok()) fail(what, done);
  return {log::to_utf8(done.out), log::to_utf8(done.err), done.out_truncated, done.err_truncated};
}

void require_text(const std::string& text, const char* what) {
  if (text.find('\0') != std::string::npos || log::to_utf8(text) != text) {
    std::string message = "jobs: make a command: ";
    message.append(what).append(" \"");
    log::append_escaped(message, text);
    throw error(errc::invalid_argument, message + "\" is not UTF-8 text without a zero byte");
  }
}

void check(const command& what) {
  if (what.arguments.empty() || what.arguments.front().empty()) {
    throw error(errc::invalid_argument,
                "jobs: make a command: no arguments; the first one names the program");
  }
  for (const auto& one : what.arguments) require_text(one, "the argument");
  require_text(what.directory, "the directory");
  for (const auto& one : what.environment) {
    require_text(one, "the variable");
    if (one.find('=') != std::string::npos && one.front() != '=') continue;
    throw error(errc::invalid_argument,
                "jobs: make a command: the variable \"" + one + "\" does not have the form NAME=value");
  }
}

}  // namespace

void allow_commands(services& app, command_options options) {
  register_error<command_failed>("weft.jobs.command_failed");
  app.add<command_permission>([held = std::move(options)] { return command_permission{held}; });
}

closure<command_output> run_command(command what) {
  check(what);
  return closure{named_closure<"weft.exec">([](command_permission& may, control& job, command to_run) {
                   return run(to_run, may.options, job);
                 }),
                 std::move(what)};
}

}  // namespace weft::inline v1::jobs
