#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <weft/config/config.hpp>
#include <weft/log/format.hpp>
#include <weft/log/record_codec.hpp>

#include "cli/arguments.hpp"

namespace weft::inline v1::cli {

/// What `weft work` has where its options are not said.
struct work_settings {
  std::optional<std::vector<std::string>> queues = {};
  std::optional<std::uint32_t> concurrency = {};
  std::optional<std::chrono::microseconds> retry_first = {};
  std::optional<std::chrono::microseconds> retry_longest = {};
  std::optional<std::chrono::microseconds> stop_grace = {};
  std::optional<std::chrono::microseconds> kill_grace = {};
  std::optional<std::string> admin = {};
  std::optional<log::line_format> log_format = {};
  std::optional<std::string> log_file = {};
  std::optional<log::level> log_level = {};
};
WEFT_DESCRIBE(work_settings, queues, concurrency, retry_first, retry_longest, stop_grace, kill_grace, admin,
              log_format, log_file, log_level);

/// What the file of the weft command, and its environment, may say.
struct command_settings {
  std::optional<std::string> db = {};
  std::optional<std::string> key_file = {};
  work_settings work = {};
};
WEFT_DESCRIBE(command_settings, db, key_file, work);

/// Where they come from: the file given, else $WEFT_CONFIG, else $XDG_CONFIG_HOME/weft/config.toml
/// (~/.config), else /etc/weft/config.toml; of the last two none has to be there. And $WEFT_DB,
/// $WEFT_WORK_QUEUES...
config::sources settings_sources(const std::string& file);

/// What they say: as config::load, and without a key_file of the file where $WEFT_KEYS has keys. Throws as
/// that.
command_settings settings_in_force();

/// The settings of `weft work` by name, with their options.
const std::map<std::string, std::string>& work_setting_options();

/// Gives the options of all commands what the settings say, where the command line says nothing.
void apply_settings(CLI::App& to, const command_settings& all);
/// The rest of that, once `to` has read the command line: CLI11 has no defaults that are lists.
void apply_lists(CLI::App& to, const command_settings& all);

struct config_options {
  std::string file;
  bool with_origin = false;
  bool as_json = false;
};

/// What the settings are.
int run_config_show(const config_options& options);
/// Is all in order? exit_config where it is not.
int run_config_check(const config_options& options);

}  // namespace weft::inline v1::cli
