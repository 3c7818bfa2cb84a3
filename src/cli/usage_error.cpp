#include "cli/usage_error.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include <weft/config/closest_name.hpp>
#include <weft/log/escape.hpp>

namespace weft::inline v1::cli {

namespace {

/// The command that was named last: "weft jobs list".
const CLI::App& named_command(const CLI::App& app, std::string& path) {
  const CLI::App* named = &app;
  path = app.get_name();
  for (;;) {
    const auto chosen = named->get_subcommands();
    if (chosen.empty()) return *named;
    named = chosen.front();
    path += ' ' + named->get_name();
  }
}

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* one : app.get_subcommands({})) names.push_back(one->get_name());
  return names;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* one : app.get_options()) {
    for (const auto& name : one->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& one : names) text.append(text.empty() ? "" : ", ").append(one);
  return text;
}

std::string unknown(const char* kind, std::string_view given, const std::vector<std::string>& names) {
  std::string text = std::string("there is no ") + kind + " \"";
  log::append_escaped(text, given);
  const auto meant = config::closest_name(given, names);
  return text + (meant.empty() ? "\"" : "\"; did you mean " + meant + "?");
}

/// Of an option only what stands before its "=".
std::string_view name_of(std::string_view option) { return option.substr(0, option.find('=')); }

std::string reason(const CLI::App& of, const CLI::ParseError& wrong) {
  const auto left = of.remaining();
  const auto option =
      std::ranges::find_if(left, [](const std::string& one) { return one.size() > 1 && one[0] == '-'; });
  const auto commands = commands_of(of);
  if (!commands.empty() && (left.empty() || option == left.end())) {
    return left.empty() ? "say what to do: " + listed(commands) : unknown("command", left.front(), commands);
  }
  if (option != left.end()) return unknown("option", name_of(*option), options_of(of));
  if (!left.empty()) return unknown("argument", left.front(), {});
  std::string text;
  log::append_escaped(text, wrong.what());
  if (text == "--db is required") text = "no database: say --db sqlite:/path/file.db, or set WEFT_DB";
  return text;
}

}  // namespace

std::string usage_error_text(const CLI::App& app, const CLI::ParseError& wrong) {
  std::string path;
  const CLI::App& named = named_command(app, path);
  return path + ": " + reason(named, wrong) + "\n`" + path + " --help` has all\n";
}

}  // namespace weft::inline v1::cli
