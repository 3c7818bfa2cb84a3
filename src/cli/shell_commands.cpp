#include "cli/shell_commands.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include <weft/core/error.hpp>

#include "cli/completion.hpp"
#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"
#include "cli/known_names.hpp"
#include "cli/manual.hpp"

namespace weft::inline v1::cli {
namespace {

command add_completion(CLI::App& to) {
  auto shell = std::make_shared<std::string>();
  to.add_option("shell", *shell, "The shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""))
      ->type_name("bash|zsh|fish");
  to.footer("Example: weft completion bash > /etc/bash_completion.d/weft");
  return [shell] {
    std::fputs(completion_script(*shell).c_str(), stdout);
    return exit_ok;
  };
}

int write_manual(const command_tree& all, const std::filesystem::path& folder) {
  return guarded("weft manual", [&] {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) throw system_error("make the folder " + folder.string(), failed.value());
    for (const auto& one : manual_of(all)) {
      const auto path = folder / one.file;
      std::ofstream out(path, std::ios::binary);
      if (!(out << one.text).flush()) throw system_error("write " + path.string(), errno);
    }
    return exit_ok;
  });
}

command add_manual(CLI::App& to, const CLI::App& whole) {
  auto folder = std::make_shared<std::string>();
  to.add_option("folder", *folder, "Made where it is not there")->required()->type_name("FOLDER");
  to.footer("Example: weft manual /usr/local/share/man/man1; then man weft-jobs");
  return [folder, &whole] { return write_manual(tree_of(whole), *folder); };
}

}  // namespace

void add_shell_commands(CLI::App& whole, const std::function<void(CLI::App&, command)>& enter) {
  CLI::App* const completion =
      whole.add_subcommand("completion", "Print the script that completes weft's words in a shell");
  enter(*completion, add_completion(*completion));
  CLI::App* const manual =
      whole.add_subcommand("manual", "Write the pages of the manual: weft.1, weft-jobs.1");
  enter(*manual, add_manual(*manual, whole));
}

int print_completions(const CLI::App& whole, const std::vector<std::string>& words) {
  completions found = complete(tree_of(whole), words);
  add_known_names(found);
  std::fputs(completion_lines(found).c_str(), stdout);
  return exit_ok;
}

}  // namespace weft::inline v1::cli
