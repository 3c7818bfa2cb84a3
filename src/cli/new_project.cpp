#include "cli/new_project.hpp"

#include <stdlib.h>
#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <weft/core/error.hpp>
#include <weft/log/escape.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"

namespace weft::inline v1::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t name_max = 40;

/// Names that CMake keeps for itself, as targets or folders, or the project for its libraries.
constexpr std::array reserved{"all",     "build",   "clean", "depend",  "edit_cache", "greeting", "help",
                              "install", "package", "src",   "systemd", "test",       "tests",    "weft"};

/// Why it is no name of a project; empty: it is one.
std::string complaint_about(const std::string& name) {
  const auto is_plain = [](char one) {
    return (one >= 'a' && one <= 'z') || (one >= '0' && one <= '9') || one == '_' || one == '-';
  };
  if (name.empty() || name.size() > name_max || !std::ranges::all_of(name, is_plain) || name[0] < 'a' ||
      name.find("--") != name.npos || name.find("__") != name.npos) {
    return "is no name of a program: it begins with a letter and has small letters, digits, - and _, 40 at "
           "most";
  }
  if (std::ranges::find(reserved, name) != reserved.end())
    return "is taken, by CMake or weft; choose another";
  return {};
}

std::string with_underscores(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}
std::string in_capitals(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char one) { return std::toupper(one); });
  return name;
}

void replace_all(std::string& in, std::string_view word, std::string_view by) {
  for (auto at = in.find(word); at != in.npos; at = in.find(word, at + by.size()))
    in.replace(at, word.size(), by);
}

std::string filled_in(std::string_view text, const std::string& name) {
  std::string made(text);
  replace_all(made, "@APP@", name);
  replace_all(made, "@NAMESPACE@", with_underscores(name));
  replace_all(made, "@ENVIRONMENT_NAME@", in_capitals(with_underscores(name)));
  return made;
}

void write_file(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  if (!(out << text).flush()) throw system_error("write " + path.string(), errno);
}

/// A folder beside another one, deleted with all in it unless it was moved there.
class folder_beside {
 public:
  explicit folder_beside(const fs::path& final) : final_(final), made_(final.string() + ".XXXXXX") {
    fs::create_directories(final.parent_path());
    if (::mkdtemp(made_.data()) == nullptr)
      throw system_error("make a folder beside " + final.string(), errno);
  }
  folder_beside(const folder_beside&) = delete;
  folder_beside& operator=(const folder_beside&) = delete;
  ~folder_beside() {
    std::error_code ignored;
    fs::remove_all(made_, ignored);
  }

  fs::path path() const { return made_; }
  /// What is in it becomes what is in the folder, which stays the one that it was.
  void move() const {
    fs::create_directory(final_);
    for (const auto& one : fs::directory_iterator(made_))
      fs::rename(one.path(), final_ / one.path().filename());
  }

 private:
  const fs::path final_;
  std::string made_;
};

void make_project(const std::string& name, const fs::path& folder) {
  if (fs::exists(fs::symlink_status(folder)) && !(fs::is_directory(folder) && fs::is_empty(folder))) {
    throw error(errc::already_exists,
                "there is something in " + folder.string() + " already; name another folder with --folder");
  }
  folder_beside made(folder);
  for (const auto& one : project_files())
    write_file(made.path() / filled_in(one.path, name), filled_in(one.text, name));
  made.move();
}

}  // namespace

int run_new(const new_options& options) {
  if (const auto why = complaint_about(options.name); !why.empty()) {
    std::string text = "weft new: \"";
    log::append_escaped(text, options.name);
    std::fprintf(stderr, "%s\" %s\n", text.c_str(), why.c_str());
    return exit_usage;
  }
  return guarded("weft new", [&] {
    const fs::path folder =
        fs::absolute(options.folder.empty() ? options.name : options.folder).lexically_normal();
    make_project(options.name, folder.has_filename() ? folder : folder.parent_path());
    std::printf("%s is there; README.md in it says what to do next.\n", folder.c_str());
    return exit_ok;
  });
}

}  // namespace weft::inline v1::cli
