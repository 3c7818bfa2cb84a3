#include <weft/wire/base64.hpp>
#include <weft/wire/json_value.hpp>

namespace weft::inline v1::wire {

// Of an open list or object it is the item or member that comes next.
const json_value& json_value_decoder::current() const {
  const auto& [of, next] = open_.back();
  if (open_.size() == 1) return *of;
  if (const auto* const list = of->if_list()) return (*list)[next - 1];
  return of->if_object()->begin()[next - 1].value;
}

value_kind json_value_decoder::peek() { return current().kind(); }

const json_value& json_value_decoder::value() { return current(); }

void json_value_decoder::read_null() {}
bool json_value_decoder::read_boolean() { return *current().if_boolean(); }
std::int64_t json_value_decoder::read_integer() { return *current().if_integer(); }
std::uint64_t json_value_decoder::read_unsigned() { return *current().if_unsigned(); }
double json_value_decoder::read_number() { return *current().if_number(); }
std::string_view json_value_decoder::read_text() { return *current().if_text(); }

void json_value_decoder::read_binary(bytes& into) {
  const auto& text = *current().if_text();
  auto data = style_.bytes_as_characters ? from_characters(text) : from_base64(text);
  if (!data) {
    fail(style_.bytes_as_characters ? "expected bytes as characters up to U+00FF, found others"
                                    : "expected bytes as base64 text, found other text");
  }
  into = std::move(*data);
}

std::size_t json_value_decoder::open_list() {
  open_.push_back({&current(), 0});
  return open_.back().of->if_list()->size();
}

bool json_value_decoder::more_items() {
  if (open_.back().next == open_.back().of->if_list()->size()) {
    open_.pop_back();
    return false;
  }
  ++open_.back().next;
  return true;
}

void json_value_decoder::open_object() { open_.push_back({&current(), 0}); }

bool json_value_decoder::more_members(std::string_view& name) {
  auto& [of, next] = open_.back();
  if (next == of->if_object()->size()) {
    open_.pop_back();
    return false;
  }
  name = of->if_object()->begin()[next++].name;
  return true;
}

}  // namespace weft::inline v1::wire
