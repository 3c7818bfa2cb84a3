#include <weft/codec/schema.hpp>

namespace weft::inline v1 {

bool schema_writer::enter(const void* tag) {
  for (std::size_t out = 1; out <= levels_.size(); ++out) {
    if (levels_[levels_.size() - out].tag != tag) continue;
    text_ += '^' + std::to_string(out);
    return false;
  }
  levels_.push_back({tag, true});
  return true;
}

void schema_writer::leave() { levels_.pop_back(); }

void schema_writer::member(std::string_view name) {
  if (!levels_.back().first) text_ += ',';
  levels_.back().first = false;
  text_ += name;
  text_ += ':';
}

}  // namespace weft::inline v1
