#include <weft/log/context_fields.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <utility>

#include <weft/context/context.hpp>
#include <weft/log/escape.hpp>

#include "log/routes.hpp"

namespace weft::inline v1::log {

std::vector<context_field> context_fields() {
  std::vector<context_field> found;
  try {  // a codec that throws must not cost the record
    for (auto& entry : context::current().log_entries()) {
      found.push_back({std::move(entry.name), to_utf8(entry.text)});
    }
    const std::size_t keys = found.size();
    detail::ask_context_sources(found);
    if (found.size() != keys) std::ranges::stable_sort(found, {}, &context_field::name);
  } catch (const std::exception& problem) {
    found.push_back({"weft.context", std::string("unreadable: ") + problem.what()});
  }
  return found;
}

void format_context(const std::vector<context_field>& from, std::string& out) {
  for (std::string_view before; const auto& each : from) {
    out += before;
    append_quoted(out, each.name);
    out += '=';
    append_quoted(out, each.text);
    before = " ";
  }
}

}  // namespace weft::inline v1::log
