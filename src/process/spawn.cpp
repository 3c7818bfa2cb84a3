#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <unistd.h>

#include <weft/context/environment.hpp>
#include <weft/core/error.hpp>
#include <weft/process/child.hpp>

#include "process/launch.hpp"
#include "process/resource_limits.hpp"

namespace weft::inline v1::process {

namespace {

using detail::launch_step;
using detail::launched;

std::string_view name_of(std::string_view variable) { return variable.substr(0, variable.find('=')); }

// The environment of a child: the own one, with what the context says in place of it, and the wanted
// variables in place of both.
class child_environment {
 public:
  explicit child_environment(const spawn_options& options) {
    if (!options.clear_environment && options.pass_context) add_context();
    for (char** one = environ; !options.clear_environment && one != nullptr && *one != nullptr; ++one) {
      if (!is_wanted(options, *one) && !is_of_context(*one)) all_.push_back(*one);
    }
    for (const auto& one : from_context_) {
      if (!is_wanted(options, one)) all_.push_back(const_cast<char*>(one.c_str()));
    }
    for (const auto& one : options.environment) all_.push_back(const_cast<char*>(one.c_str()));
    all_.push_back(nullptr);
  }
  child_environment(const child_environment&) = delete;
  child_environment& operator=(const child_environment&) = delete;

  /// As long as this and the options live.
  const std::vector<char*>& all() const noexcept { return all_; }

 private:
  void add_context() {
    variables_ = environment_of(context::capture());
    for (const auto& one : variables_) {
      if (one.value) from_context_.push_back(one.name + "=" + *one.value);
    }
  }
  static bool is_wanted(const spawn_options& options, std::string_view variable) {
    return std::ranges::any_of(options.environment,
                               [&](const auto& other) { return name_of(other) == name_of(variable); });
  }
  bool is_of_context(std::string_view variable) const {
    return std::ranges::any_of(variables_, [&](const auto& one) { return one.name == name_of(variable); });
  }

  std::vector<environment_variable> variables_;
  std::vector<std::string> from_context_;
  std::vector<char*> all_;
};

std::vector<char*> arguments_of(const spawn_options& options) {
  std::vector<char*> all;
  all.reserve(options.arguments.size() + 2);
  for (const auto& one : options.arguments) all.push_back(const_cast<char*>(one.c_str()));
  if (all.empty()) all.push_back(const_cast<char*>(options.program.c_str()));
  all.push_back(nullptr);
  return all;
}

std::size_t bytes_of(const std::vector<char*>& texts) {
  std::size_t bytes = 0;
  for (const char* const one : texts) bytes += one == nullptr ? 0 : std::strlen(one) + 1;
  return bytes;
}

void require_no_zero(const std::string& tried, const std::vector<std::string>& texts, const char* what) {
  for (const auto& one : texts) {
    if (one.find('\0') == std::string::npos) continue;
    throw error(errc::invalid_argument, tried + ": " + what + " \"" + one.c_str() + "\" has a zero byte");
  }
}

void require_sense(const std::string& tried, const spawn_options& options) {
  require_no_zero(tried, options.arguments, "the argument");
  require_no_zero(tried, options.environment, "the variable");
  require_no_zero(tried, {options.program, options.directory}, "the path");
  for (const auto& one : options.environment) {
    if (one.find('=') != std::string::npos && one.front() != '=') continue;
    std::string why = tried;
    why.append(": the variable \"").append(one).append("\" does not have the form NAME=value");
    throw error(errc::invalid_argument, why);
  }
  for (const auto& one : options.descriptors) {
    if (one.there >= 0) continue;
    throw error(errc::invalid_argument,
                tried + ": a descriptor cannot have the number " + std::to_string(one.there));
  }
}

[[noreturn]] void throw_not_executed(const std::string& tried, const spawn_options& options, int why,
                                     std::size_t bytes) {
  switch (why) {
    case ENOENT:
      if (::access(options.program.c_str(), F_OK) != 0) break;
      throw error(errc::not_found, tried +
                                       ": it is there, but what it starts with is not: the interpreter of "
                                       "its #! line, or its loader");
    case EACCES:
      throw error(errc::refused, tried + ": it is not executable for this user, or is no file");
    case ENOEXEC:
      throw error(errc::malformed,
                  tried + ": it is neither a program for this machine nor a script with a #! line");
    case E2BIG:
      throw error(errc::too_large,
                  tried + ": arguments and environment have " + std::to_string(bytes) +
                      " bytes; one may have 128 KiB, all of them a quarter of the stack's limit "
                      "(ulimit -s); pass them by a file or stdin");
    default:
      break;
  }
  throw system_error(tried, why);
}

[[noreturn]] void throw_failed(const std::string& tried, const spawn_options& options,
                               const detail::launch_plan& plan, const launched& failed, std::size_t bytes) {
  switch (failed.failed) {
    case launch_step::descriptors: {
      const auto& one = options.descriptors[failed.which];
      throw system_error(
          tried + ": give it descriptor " + std::to_string(one.here) + " as " + std::to_string(one.there),
          failed.why);
    }
    case launch_step::limits:
      throw system_error(tried + ": set its limit " +
                             detail::name_of_limit(plan.limits[failed.which].resource) + " to " +
                             std::to_string(plan.limits[failed.which].value.rlim_cur),
                         failed.why);
    case launch_step::directory:
      throw system_error(tried + ": its working directory \"" + options.directory + '"', failed.why);
    case launch_step::program:
      throw_not_executed(tried, options, failed.why, bytes);
    default:
      if (failed.why == EAGAIN || failed.why == ENOMEM) {
        throw error(errc::resource_exhausted,
                    tried + ": " + std::strerror(failed.why) +
                        "; raise the limit of processes (ulimit -u) or free memory");
      }
      throw system_error(tried, failed.why);
  }
}

}  // namespace

child child::spawn(const spawn_options& options) {
  const std::string tried = "process: spawn \"" + options.program + '"';
  require_sense(tried, options);
  const auto arguments = arguments_of(options);
  const child_environment environment(options);
  detail::launch_plan plan{.program = options.program.c_str(),
                           .arguments = arguments.data(),
                           .environment = environment.all().data(),
                           .directory = options.directory.empty() ? nullptr : options.directory.c_str(),
                           .descriptors = &options.descriptors,
                           .copies = {},
                           .limits = detail::resource_limits_of(options.resource_limits),
                           .own_group = options.own_group,
                           .dies_with = options.die_with_thread ? ::getpid() : 0};
  launched made = detail::launch(plan);
  if (made.failed != launch_step::done) {
    throw_failed(tried, options, plan, made, bytes_of(arguments) + bytes_of(environment.all()));
  }
  return child(made.pid, std::move(made.pidfd));
}

}  // namespace weft::inline v1::process
