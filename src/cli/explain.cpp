#include "cli/explain.hpp"

#include <cstdio>
#include <utility>
#include <vector>

#include <weft/config/closest_name.hpp>
#include <weft/log/escape.hpp>

#include "cli/exit_status.hpp"

namespace weft::inline v1::cli {
namespace {

struct section {
  std::string name;
  std::string text;
};

std::vector<section> sections() {
  constexpr std::string_view mark = "\n## ";
  std::vector<section> all;
  const auto catalogue = error_catalogue();
  for (auto at = catalogue.find(mark); at != std::string_view::npos;) {
    const auto next = catalogue.find(mark, at + 1);
    const auto whole = catalogue.substr(at + mark.size(), next - at - mark.size());
    const auto end = whole.find('\n');
    all.push_back({std::string(whole.substr(0, end)), std::string(whole.substr(end + 2))});
    at = next;
  }
  return all;
}

/// Marks of Markdown are for the page.
std::string without_marks(std::string_view text) {
  std::string made;
  for (const char one : text) {
    if (one != '*' && one != '`') made += one;
  }
  return made;
}

int say_there_is_none(const std::string& code, const std::vector<section>& all) {
  std::vector<std::string> names;
  for (const auto& one : all) names.push_back(one.name);
  std::string text = "weft explain: there is no error code \"";
  log::append_escaped(text, code);
  const auto meant = config::closest_name(code, names);
  text += meant.empty() ? "\"; `weft explain` has all" : "\"; did you mean " + meant + "?";
  std::fprintf(stderr, "%s\n", text.c_str());
  return exit_failed;
}

}  // namespace

int run_explain(const std::string& code) {
  const auto all = sections();
  for (const auto& one : all) {
    if (code.empty()) {
      std::printf("%-18s %s\n", one.name.c_str(),
                  without_marks(one.text.substr(0, one.text.find_first_of(".:"))).c_str());
    } else if (one.name == code) {
      std::printf("%s\n\n%s", code.c_str(), without_marks(one.text).c_str());
      return exit_ok;
    }
  }
  return code.empty() ? exit_ok : say_there_is_none(code, all);
}

}  // namespace weft::inline v1::cli
