#include "config/toml_file.hpp"

#include <utility>

#include <toml++/toml.h>

#include <weft/core/error.hpp>

#include "config/file_text.hpp"

namespace weft::inline v1::config {
namespace {

using detail::raw_value;
using form = raw_value::form;

std::string at_line(const std::string& path, const toml::source_region& where) {
  return path + ':' + std::to_string(where.begin.line);
}

raw_value raw_of(const toml::node& from) {
  raw_value made{.is = form::other, .is_from_file = true, .text = {}, .items = {}};
  if (const auto* const text = from.as_string()) {
    made.is = form::text;
    made.text = text->get();
  } else if (const auto* const whole = from.as_integer()) {
    made.is = form::integer;
    made.text = std::to_string(whole->get());
  } else if (const auto* const real = from.as_floating_point()) {
    made.is = form::real;
    made.text = detail::real_text(real->get());
  } else if (const auto* const is_so = from.as_boolean()) {
    made.is = form::boolean;
    made.text = is_so->get() ? "true" : "false";
  } else if (const auto* const list = from.as_array()) {
    made.is = form::list;
    for (const auto& one : *list) made.items.push_back(raw_of(one));
  }
  return made;
}

void collect(const toml::table& from, const std::string& prefix, const std::string& path,
             std::vector<toml_entry>& into) {
  for (const auto& [key, node] : from) {
    const std::string name = prefix + std::string(key.str());
    if (const auto* const below = node.as_table()) {
      collect(*below, name + '.', path, into);
    } else {
      into.push_back({name, raw_of(node), at_line(path, key.source())});
    }
  }
}

}  // namespace

std::vector<toml_entry> read_toml(const std::string& path) {
  const std::string text = read_file(path);
  std::vector<toml_entry> all;
  try {
    collect(toml::parse(text, path), {}, path, all);
  } catch (const toml::parse_error& wrong) {
    throw error(errc::malformed,
                at_line(path, wrong.source()) + ": this is no TOML: " + std::string(wrong.description()));
  }
  return all;
}

}  // namespace weft::inline v1::config
