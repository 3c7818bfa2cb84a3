#include "cli/completion.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "cli/option_values.hpp"

namespace weft::inline v1::cli {
namespace {

using path_kind = completions::path_kind;

bool is_name_of(std::string_view word, const command_option& option) {
  return std::ranges::find(option.names, word) != option.names.end();
}

const command_option* find_option(const command_tree& in, std::string_view name) {
  const auto found =
      std::ranges::find_if(in.options, [name](const command_option& one) { return is_name_of(name, one); });
  return found == in.options.end() ? nullptr : &*found;
}

const command_tree* find_command(const command_tree& in, std::string_view name) {
  const auto found =
      std::ranges::find_if(in.commands, [name](const command_tree& one) { return one.name == name; });
  return found == in.commands.end() ? nullptr : &*found;
}

/// The command that the words before the last one lead to, and what of it is there.
struct place {
  const command_tree* command;
  const command_option* wants_value = nullptr;  // the option right before the cursor
  std::vector<const command_option*> given = {};
  std::size_t arguments = 0;
  std::string database = {};    // the value of --db
  bool is_behind_mark = false;  // behind "--"
};

place place_of(const command_tree& all, const std::vector<std::string>& words) {
  place at{&all};
  for (std::size_t index = 0; index + 1 < words.size(); ++index) {
    const std::string& word = words[index];
    if (at.is_behind_mark) continue;
    if (at.wants_value != nullptr) {
      if (is_name_of("--db", *at.wants_value)) at.database = word;
      at.wants_value = nullptr;
    } else if (word == "--") {
      at.is_behind_mark = true;
    } else if (word.size() > 1 && word[0] == '-') {
      const auto* const option = find_option(*at.command, word.substr(0, word.find('=')));
      if (option == nullptr) continue;
      at.given.push_back(option);
      const auto mark = word.find('=');
      if (mark != std::string::npos && is_name_of("--db", *option)) at.database = word.substr(mark + 1);
      if (!option->value.empty() && mark == std::string::npos) at.wants_value = option;
    } else if (const auto* const next = find_command(*at.command, word)) {
      at = place{next};
    } else {
      ++at.arguments;
    }
  }
  return at;
}

std::vector<std::string> words_of(const std::string& value) {
  std::vector<std::string> all;
  if (value == "STATE") return state_names();
  if (value.find('|') == std::string::npos) return all;
  for (std::size_t start = 0; start <= value.size();) {
    const auto end = std::min(value.find('|', start), value.size());
    all.push_back(value.substr(start, end - start));
    start = end + 1;
  }
  return all;
}

/// What `option` may be, with `before` in front of it.
void add_values(completions& to, const command_option& option, const std::string& before,
                std::string_view begun) {
  if (option.value == "FILE") to.paths = path_kind::files;
  if (option.value == "FOLDER") to.paths = path_kind::folders;
  if (option.value == "URL") {
    for (const auto& [start, purpose] :
         {std::pair("sqlite:", "a file of SQLite"), std::pair("postgres://", "a database of PostgreSQL")}) {
      if (std::string_view(start).starts_with(begun)) to.candidates.push_back({before + start, purpose});
    }
  }
  if (option.value == "QUEUE" || option.value == "ID" || option.value == "TAG" || option.value == "LIMIT") {
    to.names = option.value;
    to.before = before;
    to.begun = begun;
  }
  for (const auto& one : words_of(option.value)) {
    if (one.starts_with(begun)) to.candidates.push_back({before + one, {}});
  }
}

void add_options(completions& to, const place& at, std::string_view begun) {
  for (const auto& one : at.command->options) {
    const bool is_given = std::ranges::find(at.given, &one) != at.given.end();
    if (is_given && !one.may_repeat) continue;
    for (const auto& name : one.names) {
      const bool is_long = name.starts_with("--");
      if (name.starts_with(begun) && (is_long || begun == name)) to.candidates.push_back({name, one.purpose});
    }
  }
}

}  // namespace

completions complete(const command_tree& all, const std::vector<std::string>& words) {
  completions found;
  const place at = place_of(all, words);
  const char* const usual_database = std::getenv("WEFT_DB");
  found.database = at.database.empty() && usual_database != nullptr ? usual_database : at.database;
  const std::string begun = words.empty() ? std::string() : words.back();
  if (at.is_behind_mark) {
    found.paths = path_kind::files;
  } else if (at.wants_value != nullptr) {
    add_values(found, *at.wants_value, {}, begun);
  } else if (begun.starts_with("--") && begun.find('=') != std::string::npos) {
    const auto mark = begun.find('=');
    const auto* const option = find_option(*at.command, begun.substr(0, mark));
    if (option != nullptr)
      add_values(found, *option, begun.substr(0, mark + 1), std::string_view(begun).substr(mark + 1));
  } else if (begun.starts_with("-")) {
    add_options(found, at, begun);
  } else {
    for (const auto& one : at.command->commands) {
      if (one.name.starts_with(begun)) found.candidates.push_back({one.name, one.purpose});
    }
    const auto& arguments = at.command->arguments;
    const auto index = std::min(at.arguments, arguments.empty() ? 0 : arguments.size() - 1);
    if (index < arguments.size() && (index == at.arguments || arguments[index].may_repeat))
      add_values(found, arguments[index], {}, begun);
  }
  return found;
}

std::string completion_lines(const completions& all) {
  std::string lines;
  for (const auto& one : all.candidates) lines.append(one.text).append("\t").append(one.purpose).append("\n");
  if (all.paths == path_kind::files) lines += ":files\n";
  if (all.paths == path_kind::folders) lines += ":folders\n";
  return lines;
}

std::string completion_script(std::string_view shell) {
  // bash takes words apart at = and :, so they are put together again, and what stands before the last of
  // them is left out of the answers.
  if (shell == "bash")
    return R"(# weft's words for bash: weft completion bash > /etc/bash_completion.d/weft
_weft() {
  local words=() word line glue= i
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $glue || $word == [=:]* ]] && ((${#words[@]})); then
      words[${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
    [[ $word == *[=:] ]] && glue=1 || glue=
  done
  local whole=${words[${#words[@]} - 1]} begun=${COMP_WORDS[COMP_CWORD]}
  [[ $begun == [=:] ]] && begun=
  local before=${whole%"$begun"}
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o filenames 2>/dev/null; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$begun") ;;
      :folders) compopt -o filenames 2>/dev/null; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$begun") ;;
      *) word=${line%%$'\t'*}; COMPREPLY+=("${word#"$before"}") ;;
    esac
  done < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)
  [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=:/] ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -F _weft weft
)";
  if (shell == "zsh")
    return R"(#compdef weft
# weft's words for zsh: weft completion zsh > a folder of $fpath/_weft
_weft() {
  local line text purpose paths
  local -a found
  while IFS= read -r line; do
    case $line in
      :files) paths=files ;;
      :folders) paths=folders ;;
      *)
        text=${line%%$'\t'*} purpose=${line#*$'\t'}
        found+=("${text//:/\\:}${purpose:+:$purpose}") ;;
    esac
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  ((${#found})) && _describe weft found
  [[ $paths == files ]] && _files
  [[ $paths == folders ]] && _files -/
  return 0
}
if [[ ${funcstack[1]} == _weft ]]; then _weft "$@"; else compdef _weft weft; fi
)";
  if (shell == "fish")
    return R"(# weft's words for fish: weft completion fish > ~/.config/fish/completions/weft.fish
function __weft_complete
    set -l words (commandline -opc)
    set -l begun (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] "$begun" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$begun"
            case :folders
                __fish_complete_directories "$begun"
            case '*'
                echo $line
        end
    end
end
complete -c weft -f -a '(__weft_complete)'
)";
  return {};
}

}  // namespace weft::inline v1::cli
