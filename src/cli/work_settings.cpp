#include "cli/work_settings.hpp"

#include <utility>

#include <weft/log/log.hpp>
#include <weft/log/sink.hpp>

#include "cli/settings.hpp"

namespace weft::inline v1::cli {
namespace {

constexpr const char* level_name = "work.log_level";

std::map<std::string, std::string> by_name(const std::vector<config::setting>& all) {
  std::map<std::string, std::string> made;
  for (const auto& one : all) made.emplace(one.name, one.value);
  return made;
}

config::loaded<command_settings> load_settings() {
  return config::load<command_settings>(settings_sources({}));
}

}  // namespace

work_reload::work_reload(const work_options& started_with)
    : in_force_(by_name(load_settings().settings)), takes_level_(!started_with.is_level_said) {}

void work_reload::read_again() {
  const auto now = load_settings();
  auto all = by_name(now.settings);
  for (const auto& [name, value] : all) {
    if (name == level_name || in_force_[name] == value) continue;
    log::warn("weft work: a setting was changed; it holds from the next start on", {{"setting", name}});
  }
  if (takes_level_ && in_force_[level_name] != all[level_name]) {
    const auto level = now.values.work.log_level.value_or(log::level::info);
    log::set_level(level);
    log::warn("weft work: the level of the log was changed", {{"now", to_string(level)}});
  }
  in_force_ = std::move(all);
}

}  // namespace weft::inline v1::cli
