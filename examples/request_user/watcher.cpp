#include "watcher.hpp"

#include <string_view>
#include <variant>

namespace notes {
namespace {

/// "17" of "17.3".
std::string_view owner_of(std::string_view text) { return text.substr(0, text.find('.')); }

std::string_view context_of(const weft::log::record& one, std::string_view name) {
  for (const auto& entry : one.context) {
    if (entry.name == name) return entry.text;
  }
  return {};
}

bool is_mixed(const weft::log::record& one) {
  const std::string_view user = context_of(one, "notes.user");
  if (user.empty() || owner_of(context_of(one, "http.request_id")) != user) return true;
  for (const auto& field : one.fields) {
    if (field.name == "text" && owner_of(std::get<std::string>(field.value)) != user) return true;
  }
  return false;
}

}  // namespace

void watcher::accept(const std::shared_ptr<const weft::log::record>& one) noexcept {
  const bool mixed = is_mixed(*one);
  const std::lock_guard lock(mutex_);
  ++found_.records;
  if (mixed && found_.mixed++ == 0) weft::log::format_text(*one, found_.first_mixed);
}

watcher::findings watcher::found() const {
  const std::lock_guard lock(mutex_);
  return found_;
}

}  // namespace notes
