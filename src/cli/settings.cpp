#include "cli/settings.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <weft/core/error.hpp>
#include <weft/log/escape.hpp>
#include <weft/wire/json.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"
#include "cli/printed_error.hpp"
#include "cli/work_settings.hpp"

namespace weft::inline v1::cli {
namespace {

struct shown_setting {
  std::string name;
  std::optional<std::string> value;
  std::string origin;
  bool reloaded = false;
};
WEFT_DESCRIBE(shown_setting, name, value, origin, reloaded);

struct shown_settings {
  int schema = 1;
  std::string file;
  std::vector<shown_setting> settings;
};
WEFT_DESCRIBE(shown_settings, schema, file, settings);

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string usual_file() {
  std::string home = variable("XDG_CONFIG_HOME");
  if (home.empty() && !variable("HOME").empty()) home = variable("HOME") + "/.config";
  std::string own = home + "/weft/config.toml";
  std::error_code ignored;
  if (!home.empty() && std::filesystem::exists(own, ignored)) return own;
  return "/etc/weft/config.toml";
}

/// A file that was named has to be there; the usual ones need not.
std::string file_in_use(const config::sources& from) {
  std::error_code ignored;
  return from.file_may_be_missing && !std::filesystem::exists(from.file, ignored) ? std::string() : from.file;
}

config::loaded<command_settings> loaded(const config::sources& from) {
  return config::load<command_settings>(from);
}

}  // namespace

config::sources settings_sources(const std::string& file) {
  config::sources from{.environment_prefix = "WEFT_"};
  from.file = file.empty() ? variable("WEFT_CONFIG") : file;
  if (!from.file.empty()) return from;
  from.file = usual_file();
  from.file_may_be_missing = true;
  return from;
}

command_settings settings_in_force() {
  auto all = loaded(settings_sources({}));
  for (const auto& one : all.settings) {
    if (one.name == "key_file" && one.from.kind == config::origin_kind::file &&
        !variable("WEFT_KEYS").empty())
      all.values.key_file.reset();
  }
  return all.values;
}

const std::map<std::string, std::string>& work_setting_options() {
  static const std::map<std::string, std::string> all{
      {"db", "--db"},
      {"key_file", "--keys"},
      {"work.queues", "--queue"},
      {"work.concurrency", "--concurrency"},
      {"work.retry_first", "--retry-first"},
      {"work.retry_longest", "--retry-longest"},
      {"work.stop_grace", "--stop-grace"},
      {"work.kill_grace", "--kill-grace"},
      {"work.admin", "--admin"},
      {"work.log_format", "--log-format"},
      {"work.log_file", "--log-file"},
      {"work.log_level", "--log-level"},
  };
  return all;
}

int run_config_show(const config_options& options) {
  return guarded("weft config show", [&] {
    const auto from = settings_sources(options.file);
    const auto all = loaded(from);
    shown_settings shown{.file = file_in_use(from), .settings = {}};
    std::string text;
    for (const auto& one : all.settings) {
      const bool is_set = one.from.kind != config::origin_kind::built_in;
      shown.settings.push_back({one.name, is_set ? std::optional(one.value) : std::nullopt,
                                to_string(one.from), is_reloaded(one.name)});
      if (!is_set && !options.with_origin) continue;
      std::string line = one.name + " = ";
      log::append_escaped(line, one.value);
      if (options.with_origin) line += "  # " + to_string(one.from);
      text += line + '\n';
    }
    std::fputs((options.as_json ? wire::to_json(shown) + '\n' : text).c_str(), stdout);
    return exit_ok;
  });
}

int run_config_check(const config_options& options) {
  const auto from = settings_sources(options.file);
  try {
    const auto all = loaded(from);
    for (const auto& one : all.notes) {
      // Other variables of weft's begin in the same way.
      if (one.find("did you mean") != std::string::npos)
        std::fprintf(stderr, "weft config check: %s\n", one.c_str());
    }
    const auto file = file_in_use(from);
    std::printf("the settings are in order: %s\n", file.empty() ? "there is no file" : file.c_str());
    return exit_ok;
  } catch (const error&) {
    std::fputs(error_text("weft config check", std::current_exception()).c_str(), stderr);
    return exit_config;
  }
}

}  // namespace weft::inline v1::cli
