#include "cli/work_settings.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/log/log.hpp>
#include <weft/log/sink.hpp>

#include "cli/settings.hpp"

namespace weft::inline v1::cli {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

std::map<std::string, std::string> by_name(const std::vector<config::setting>& all) {
  std::map<std::string, std::string> made;
  for (const auto& one : all) made.emplace(one.name, one.value);
  return made;
}

/// A text as it is, without the quotes of TOML.
std::string_view plain(std::string_view value) {
  const bool is_quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return is_quoted ? value.substr(1, value.size() - 2) : value;
}

/// What is set, else what there is without.
template <auto Option, auto Setting>
void take(work_options& into, const work_settings& from) {
  if (const auto& set = from.*Setting) {
    into.*Option = *set;
  } else {
    into.*Option = work_options().*Option;
  }
}

/// A setting that a worker which runs takes over, and how.
struct reloaded_setting {
  std::string_view name;
  void (*take)(work_options& into, const work_settings& from);
};

constexpr reloaded_setting reloaded[] = {
    {"work.queues", &take<&work_options::queues, &work_settings::queues>},
    {"work.concurrency", &take<&work_options::concurrency, &work_settings::concurrency>},
    {"work.retry_first", &take<&work_options::retry_first, &work_settings::retry_first>},
    {"work.retry_longest", &take<&work_options::retry_longest, &work_settings::retry_longest>},
    {"work.stop_grace", &take<&work_options::stop_grace, &work_settings::stop_grace>},
    {"work.log_format", &take<&work_options::log_format, &work_settings::log_format>},
    {"work.log_file", &take<&work_options::log_file, &work_settings::log_file>},
    {"work.log_level", &take<&work_options::log_level, &work_settings::log_level>},
};

config::loaded<command_settings> load_settings() {
  return config::load<command_settings>(settings_sources({}));
}

}  // namespace

bool is_reloaded(std::string_view setting) {
  return std::ranges::find(reloaded, setting, &reloaded_setting::name) != std::end(reloaded);
}

jobs::worker_options worker_of(const work_options& options) {
  jobs::worker_options how;
  how.queues = options.queues;
  how.concurrency = options.concurrency;
  how.retry.first = options.retry_first;
  how.retry.longest = std::max(options.retry_first, options.retry_longest);
  how.stop_grace = duration_cast<milliseconds>(options.stop_grace);
  how.retention = options.retention;
  return how;
}

work_reload::work_reload(const work_options& started_with, jobs::worker& worker, work_log& log)
    : worker_(worker), log_(log), in_force_(started_with), seen_(by_name(load_settings().settings)) {}

/// What runs with these settings, and with what the command line said.
work_options work_reload::wanted_by(const command_settings& now) const {
  work_options wanted = in_force_;
  for (const auto& one : reloaded) {
    if (!in_force_.said.contains(std::string(one.name))) one.take(wanted, now.work);
  }
  if (wanted.concurrency < 1 || wanted.concurrency > work_options::concurrency_max) {
    throw error(errc::invalid_argument, "work.concurrency = " + std::to_string(wanted.concurrency) +
                                            " is not from 1 to " +
                                            std::to_string(work_options::concurrency_max));
  }
  return wanted;
}

void work_reload::read_again() {
  const auto now = load_settings();
  const auto wanted = wanted_by(now.values);
  const bool log_moves = wanted.log_format != in_force_.log_format || wanted.log_file != in_force_.log_file;
  auto sink = log_moves ? log_.open(wanted) : nullptr;  // from here on nothing is refused
  const auto how = worker_of(wanted);
  worker_.change({.concurrency = how.concurrency, .retry = how.retry, .stop_grace = how.stop_grace});
  if (wanted.queues != in_force_.queues) worker_.change({.queues = how.queues});
  if (log_moves) log_.write_to(std::move(sink), wanted);
  log::set_level(wanted.log_level);
  in_force_ = wanted;
  auto all = by_name(now.settings);
  tell(all);
  seen_ = std::move(all);
}

/// As warnings, for a level that hides what happened would be a poor one to tell it at.
void work_reload::tell(const std::map<std::string, std::string>& now) const {
  for (const auto& [name, value] : now) {
    const auto before = seen_.find(name);
    if (before != seen_.end() && before->second == value) continue;
    if (in_force_.said.contains(name)) {
      log::warn("weft work: a setting was changed; the command line says another", {{"setting", name}});
    } else if (is_reloaded(name)) {
      log::warn("weft work: a setting was changed", {{"setting", name}, {"now", plain(value)}});
    } else {
      log::warn("weft work: a setting was changed; it holds from the next start on", {{"setting", name}});
    }
  }
}

}  // namespace weft::inline v1::cli
