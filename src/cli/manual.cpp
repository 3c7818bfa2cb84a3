#include "cli/manual.hpp"

#include <map>
#include <string_view>

#include <weft/core/version.hpp>

namespace weft::inline v1::cli {
namespace {

/// Text that is to be seen as it is.
std::string roff_text(std::string_view text) {
  std::string made;
  if (!text.empty() && (text[0] == '.' || text[0] == '\'')) made = "\\&";
  for (const char one : text) {
    switch (one) {
      case '\\':
        made += "\\e";
        break;
      case '-':
        made += "\\-";
        break;
      case '\'':
        made += "\\(aq";
        break;
      case '`':
        made += "\\(ga";
        break;
      default:
        made += one;
    }
  }
  return made;
}

std::string bold(std::string_view text) { return "\\fB" + roff_text(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + roff_text(text) + "\\fR"; }

std::string shown(const command_option& option) {
  std::string text;
  for (const auto& one : option.names) text.append(text.empty() ? "" : ", ").append(bold(one));
  return option.value.empty() ? text : text + ' ' + italic(option.value);
}

std::string synopsis(const std::string& path, const command_tree& of) {
  std::string text = bold(path);
  text += " [" + italic("OPTION") + "...]";
  for (const auto& one : of.options) {
    if (one.is_required)
      text += ' ' + bold(one.names.back()) + (one.value.empty() ? "" : ' ' + italic(one.value));
  }
  for (const auto& one : of.arguments) {
    const auto name = italic(one.names.front()) + (one.may_repeat ? "..." : "");
    text += one.is_required ? ' ' + name : " [" + name + ']';
  }
  if (!of.commands.empty()) text += ' ' + italic("COMMAND");
  return text;
}

void add_options(std::string& to, const char* heading, const std::vector<command_option>& options) {
  const bool is_help_alone = options.size() == 1 && options.front().names.back() == "--help";
  if (options.empty() || is_help_alone) return;
  if (heading != nullptr) to.append(heading);
  for (const auto& one : options) {
    if (one.names.back() == "--help") continue;  // all have it
    const bool has_name = one.names.front().starts_with('-');
    to += ".TP\n" + (has_name ? shown(one) : italic(one.names.front())) + '\n' + roff_text(one.purpose);
    if (!one.purpose.ends_with('.')) to += '.';
    to += '\n';
  }
}

void add_commands(std::string& to, const std::string& path, const command_tree& of) {
  for (const auto& one : of.commands) {
    const std::string name = path + ' ' + one.name;
    to += ".SS " + bold(one.name) + '\n' + synopsis(name, one) + "\n.PP\n" + roff_text(one.purpose) + ".\n";
    if (!one.note.empty()) to += ".PP\n" + roff_text(one.note) + '\n';
    add_options(to, nullptr, one.arguments);
    add_options(to, nullptr, one.options);
    add_commands(to, name, one);
  }
}

void collect_variables(const command_tree& of, std::map<std::string, std::string>& into) {
  for (const auto& one : of.options) {
    if (!one.variable.empty()) into.emplace(one.variable, one.names.back());
  }
  for (const auto& one : of.commands) collect_variables(one, into);
}

void add_ends(std::string& to, const command_tree& of) {
  std::map<std::string, std::string> variables;
  collect_variables(of, variables);
  if (!variables.empty()) to += ".SH ENVIRONMENT\n";
  for (const auto& [name, option] : variables) {
    to += ".TP\n" + bold(name) + "\nWhat " + bold(option) + " is where it is not said.\n";
  }
  to +=
      ".SH EXIT STATUS\n.TP\n0\nDone.\n.TP\n1\nIt failed, or nothing matched.\n.TP\n2\nWrong usage: a "
      "command, "
      "option or value that is none, or a change of many that could not be asked about.\n.TP\n78\nThe "
      "settings are "
      "not in order.\n";
}

std::string head(const std::string& name, const std::string& purpose) {
  std::string upper;
  for (const char one : name) upper += one >= 'a' && one <= 'z' ? static_cast<char>(one - 'a' + 'A') : one;
  return ".TH " + roff_text(upper) + " 1 \"\" \"weft " + std::string(version) + "\" \"weft\"\n.SH NAME\n" +
         roff_text(name) + " \\- " + roff_text(purpose) + '\n';
}

std::string first_page(const command_tree& all) {
  const std::string start = all.name + ": ";
  std::string text =
      head(all.name, all.purpose.starts_with(start) ? all.purpose.substr(start.size()) : all.purpose) +
      ".SH SYNOPSIS\n" + synopsis(all.name, all) + '\n';
  text += ".SH COMMANDS\nEach has " + bold("--help") + ".\n";
  for (const auto& one : all.commands) {
    text += ".TP\n" + bold(one.name) + '\n' + roff_text(one.purpose) + ".\n";
  }
  add_options(text, ".SH OPTIONS\n", all.options);
  add_ends(text, all);
  text += ".SH SEE ALSO\n";
  for (const auto& one : all.commands) {
    const bool is_last = &one == &all.commands.back();
    text += ".BR " + roff_text(all.name + '-' + one.name) + (is_last ? " (1)\n" : " (1),\n");
  }
  return text;
}

std::string page_of(const command_tree& all, const command_tree& one) {
  const std::string path = all.name + ' ' + one.name;
  std::string text =
      head(all.name + '-' + one.name, one.purpose) + ".SH SYNOPSIS\n" + synopsis(path, one) + '\n';
  if (!one.note.empty()) text += ".SH DESCRIPTION\n" + roff_text(one.note) + '\n';
  add_options(text, ".SH ARGUMENTS\n", one.arguments);
  add_options(text, ".SH OPTIONS\n", one.options);
  if (!one.commands.empty()) text += ".SH COMMANDS\n";
  add_commands(text, path, one);
  add_ends(text, one);
  return text + ".SH SEE ALSO\n.BR " + roff_text(all.name) + " (1)\n";
}

}  // namespace

std::vector<manual_page> manual_of(const command_tree& all) {
  std::vector<manual_page> pages{{all.name + ".1", first_page(all)}};
  for (const auto& one : all.commands) pages.push_back({all.name + '-' + one.name + ".1", page_of(all, one)});
  return pages;
}

}  // namespace weft::inline v1::cli
