#include "cli/config_commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/option_values.hpp"
#include "cli/settings.hpp"

namespace weft::inline v1::cli {
namespace {

template <typename T>
void set(CLI::App& in, const std::string& option, const std::optional<T>& value) {
  auto* const found = in.get_option_no_throw(option);
  if (found == nullptr || !value) return;
  found->run_callback_for_default()->default_val(*value)->required(false);
}

void set_span(CLI::App& in, const std::string& option,
              const std::optional<std::chrono::microseconds>& value) {
  set(in, option, value ? std::optional(config::duration_text(*value)) : std::nullopt);
}

template <typename Enum>
std::optional<std::string> name_of(const std::optional<Enum>& value) {
  return value ? std::optional(std::string(to_string(*value))) : std::nullopt;
}

}  // namespace

command add_config(CLI::App& to) {
  auto options = std::make_shared<config_options>();
  auto chosen = std::make_shared<command>();
  to.require_subcommand(1);
  const auto add = [&](const char* name, const char* purpose, int (*run)(const config_options&)) {
    CLI::App* const added = to.add_subcommand(name, purpose);
    added
        ->add_option("--file", options->file,
                     "Instead of $WEFT_CONFIG, ~/.config/weft/config.toml or /etc/weft/config.toml")
        ->type_name("FILE");
    added->parse_complete_callback([=] { *chosen = [=] { return run(*options); }; });
    return added;
  };
  auto* const show = add("show", "Show the settings of this command", &run_config_show);
  show->add_flag("--origin", options->with_origin, "Say where each comes from; also those that nobody set");
  add_json(*show, options->as_json);
  add("check", "Are they in order? 78 where they are not", &run_config_check);
  return [chosen] { return (*chosen)(); };
}

void apply_settings(CLI::App& to, const command_settings& all) {
  set(to, "--db", all.db);
  set(to, "--keys", all.key_file);
  if (to.get_name() == "work") {
    set(to, "--concurrency", all.work.concurrency);
    set_span(to, "--retry-first", all.work.retry_first);
    set_span(to, "--retry-longest", all.work.retry_longest);
    set_span(to, "--stop-grace", all.work.stop_grace);
    set_span(to, "--kill-grace", all.work.kill_grace);
    set(to, "--admin", all.work.admin);
    set(to, "--log-format", name_of(all.work.log_format));
    set(to, "--log-file", all.work.log_file);
    set(to, "--log-level", name_of(all.work.log_level));
  }
  for (auto* const one : to.get_subcommands({})) apply_settings(*one, all);
}

void apply_lists(CLI::App& to, const command_settings& all) {
  auto* const queues = to.get_subcommand("work")->get_option("--queue");
  if (!all.work.queues || queues->count() > 0) return;
  queues->add_result(*all.work.queues);
  queues->run_callback();
}

}  // namespace weft::inline v1::cli
