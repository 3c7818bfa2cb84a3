#include "cli/command_tree.hpp"

#include <CLI/CLI.hpp>

namespace weft::inline v1::cli {
namespace {

command_option option_of(const CLI::Option& of) {
  command_option made;
  for (const auto& one : of.get_snames()) made.names.push_back("-" + one);
  for (const auto& one : of.get_lnames()) made.names.push_back("--" + one);
  if (made.names.empty()) made.names.push_back(of.get_single_name());
  made.purpose = of.get_description();
  const std::string type = of.get_type_name();  // with its checks behind a colon
  if (of.get_type_size() > 0) made.value = type.substr(0, type.find(':'));
  made.variable = of.get_envname();
  made.is_required = of.get_required();
  made.may_repeat = of.get_expected_max() > 1;
  return made;
}

}  // namespace

command_tree tree_of(const CLI::App& app) {
  command_tree made;
  made.name = app.get_name();
  made.purpose = app.get_description();
  made.note = app.get_footer();
  for (const auto* one : app.get_options()) {
    (one->nonpositional() ? made.options : made.arguments).push_back(option_of(*one));
  }
  for (const auto* one : app.get_subcommands([](const CLI::App* any) { return !any->get_group().empty(); })) {
    made.commands.push_back(tree_of(*one));
  }
  return made;
}

}  // namespace weft::inline v1::cli
