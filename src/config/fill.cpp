#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include <weft/config/closest_name.hpp>
#include <weft/config/config.hpp>
#include <weft/core/error.hpp>

#include "config/file_text.hpp"
#include "config/toml_file.hpp"

namespace weft::inline v1::config {

std::string to_string(const origin& from) {
  switch (from.kind) {
    case origin_kind::built_in:
      return "built in";
    case origin_kind::environment:
      return "$" + from.where;
    case origin_kind::file:
    case origin_kind::credential:
    case origin_kind::flag:
      break;
  }
  return from.where;
}

namespace detail {
namespace {

constexpr std::string_view file_suffix = "_file";

std::map<std::string, std::string> own_environment() {
  std::map<std::string, std::string> all;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string_view entry = *one;
    const auto mark = entry.find('=');
    if (mark != std::string_view::npos) all.emplace(entry.substr(0, mark), entry.substr(mark + 1));
  }
  return all;
}

/// Fills fields from one source after the other, and notes all that is wrong.
class filler {
 public:
  filler(std::vector<field>& fields, const sources& from)
      : fields_(fields),
        from_(from),
        environment_(from.environment == nullptr ? own_environment() : *from.environment) {
    for (auto& one : fields_) {
      by_name_.emplace(one.name, &one);
      if (one.is_secret) secret_files_.emplace(one.name + std::string(file_suffix), &one);
    }
  }

  outcome run() {
    read_file();
    read_environment();
    read_credentials();
    for (const auto& one : from_.flags) take(one.name, loose(one.value), {origin_kind::flag, one.as});
    for (const auto& name : from_.required) {
      if (!by_name_.contains(name))
        throw error(errc::misuse, "config: the required setting " + name + " is none");
      if (!origins_.contains(name)) problems_.push_back(how_to_say(name));
    }
    if (!problems_.empty()) {
      std::string text = "the settings are not in order:";
      for (const auto& one : problems_) text += "\n  " + one;
      throw error(errc::invalid_argument, text);
    }
    for (const auto& one : fields_) {
      const auto found = origins_.find(one.name);
      done_.settings.push_back({one.name, one.show(), found == origins_.end() ? origin{} : found->second});
    }
    return std::move(done_);
  }

 private:
  static raw_value loose(std::string text) {
    return {.is = raw_value::form::text, .is_from_file = false, .text = std::move(text), .items = {}};
  }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& one : fields_)
      all.push_back(one.is_secret ? one.name + std::string(file_suffix) : one.name);
    return all;
  }

  std::string variable_of(const std::string& name) const {
    std::string made = from_.environment_prefix;
    for (const char one : name) {
      made += one == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(one)));
    }
    return made;
  }

  std::string how_to_say(const std::string& name) const {
    std::string text = name + " is not set";
    if (!from_.file.empty()) text += ": say it in " + from_.file;
    if (!from_.environment_prefix.empty())
      text += (from_.file.empty() ? ": set " : ", or set ") + variable_of(name);
    return text;
  }

  void note_unknown(const std::string& name, const std::string& where) {
    const auto meant = closest_name(name, names());
    problems_.push_back(where + ": there is no setting " + toml_text(name) +
                        (meant.empty() ? "" : "; did you mean " + meant + "?"));
  }

  void set(field& to, const raw_value& value, const origin& from) {
    if (to.set(value)) {
      origins_[to.name] = from;
      return;
    }
    const std::string shown =
        to.is_secret || value.text.empty() ? std::string() : ", not " + toml_text(value.text);
    problems_.push_back(to_string(from) + ": " + to.name + " wants " + to.wants + shown);
  }

  void set_secret(field& to, const std::string& path, const origin& from) {
    try {
      set(to, loose(read_secret_file(path)), from);
    } catch (const error& failed) {
      problems_.push_back(to_string(from) + ": " + to.name + ": " + failed.message());
    }
  }

  void take(const std::string& name, const raw_value& value, const origin& from) {
    if (const auto found = secret_files_.find(name); found != secret_files_.end()) {
      if (value.is != raw_value::form::text) {
        problems_.push_back(to_string(from) + ": " + name + " wants the path of a file");
      } else {
        set_secret(*found->second, value.text, from);
      }
      return;
    }
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) {
      note_unknown(name, to_string(from));
    } else if (found->second->is_secret) {
      problems_.push_back(
          to_string(from) + ": " + name +
          " is a secret: write it to a file that only this program's user may read, and say " + name +
          std::string(file_suffix));
    } else {
      set(*found->second, value, from);
    }
  }

  void read_file() {
    if (from_.file.empty()) return;
    std::error_code ignored;
    if (from_.file_may_be_missing && !std::filesystem::exists(from_.file, ignored)) return;
    for (const auto& one : read_toml(from_.file)) take(one.name, one.value, {origin_kind::file, one.where});
  }

  void read_environment() {
    if (from_.environment_prefix.empty()) return;
    std::map<std::string, std::string> names_of;  // by variable
    const auto add = [&](const std::string& name) {
      const auto [at, is_new] = names_of.emplace(variable_of(name), name);
      if (!is_new)
        throw error(errc::misuse, "config: " + at->second + " and " + name + " would both be " + at->first);
    };
    for (const auto& [name, to] : by_name_) add(name);
    for (const auto& [name, to] : secret_files_) add(name);
    std::vector<std::string> variables;
    for (const auto& [variable, name] : names_of) variables.push_back(variable);
    for (const auto& [variable, value] : environment_) {
      if (!variable.starts_with(from_.environment_prefix)) continue;
      if (const auto found = names_of.find(variable); found != names_of.end()) {
        take(found->second, loose(value), {origin_kind::environment, variable});
      } else {
        const auto meant = closest_name(variable, variables);
        done_.notes.push_back("$" + variable + " is no setting" +
                              (meant.empty() ? "" : "; did you mean $" + meant + "?"));
      }
    }
  }

  /// systemd's LoadCredential=: a folder with a file for each.
  void read_credentials() {
    const auto folder = environment_.find("CREDENTIALS_DIRECTORY");
    if (folder == environment_.end()) return;
    for (auto& one : fields_) {
      const std::string path = folder->second + '/' + one.name;
      std::error_code ignored;
      if (one.is_secret && std::filesystem::exists(path, ignored))
        set_secret(one, path, {origin_kind::credential, path});
    }
  }

  std::vector<field>& fields_;
  const sources& from_;
  const std::map<std::string, std::string> environment_;
  std::map<std::string, field*> by_name_;
  std::map<std::string, field*> secret_files_;  // by the name with _file
  std::map<std::string, origin> origins_;
  std::vector<std::string> problems_;
  outcome done_;
};

}  // namespace

outcome fill(std::vector<field>& fields, const sources& from) { return filler(fields, from).run(); }

}  // namespace detail
}  // namespace weft::inline v1::config
