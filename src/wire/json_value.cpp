#include <weft/wire/json_value.hpp>

#include <algorithm>
#include <type_traits>

#include <weft/core/error.hpp>
#include <weft/wire/base64.hpp>
#include <weft/wire/json.hpp>

namespace weft::wire {

namespace {

bool is_before(const json_member& member, std::string_view name) noexcept { return member.name < name; }

}  // namespace

json_object::json_object() noexcept = default;
json_object::json_object(const json_object&) = default;
json_object::json_object(json_object&&) noexcept = default;
json_object& json_object::operator=(const json_object&) = default;
json_object& json_object::operator=(json_object&&) noexcept = default;
json_object::~json_object() = default;

json_object::json_object(std::vector<json_member> members) : members_(std::move(members)) {
  const auto by_name = [](const json_member& one, const json_member& other) { return one.name < other.name; };
  std::stable_sort(members_.begin(), members_.end(), by_name);
  // Of those with one name the last is kept, which is the first of them seen from the end.
  const auto kept =
      std::unique(members_.rbegin(), members_.rend(),
                  [](const json_member& one, const json_member& other) { return one.name == other.name; });
  members_.erase(members_.begin(), kept.base());
}

json_object::json_object(std::initializer_list<json_member> members)
    : json_object(std::vector<json_member>(members)) {}

const json_value* json_object::find(std::string_view name) const noexcept {
  const auto at = std::lower_bound(members_.begin(), members_.end(), name, is_before);
  return at != members_.end() && at->name == name ? &at->value : nullptr;
}

void json_object::set(std::string name, json_value value) {
  const auto at = std::lower_bound(members_.begin(), members_.end(), std::string_view(name), is_before);
  if (at != members_.end() && at->name == name) {
    at->value = std::move(value);
  } else {
    members_.insert(at, {std::move(name), std::move(value)});
  }
}

std::size_t json_object::size() const noexcept { return members_.size(); }
const json_member* json_object::begin() const noexcept { return members_.data(); }
const json_member* json_object::end() const noexcept { return members_.data() + members_.size(); }
bool json_object::operator==(const json_object& other) const noexcept { return members_ == other.members_; }

std::size_t json_value::size() const noexcept {
  if (const auto* const items = if_list()) return items->size();
  const auto* const object = if_object();
  return object == nullptr ? 0 : object->members_.size();
}

json_value& json_value::item(std::size_t index) noexcept {
  if (auto* const items = if_list()) return (*items)[index];
  return if_object()->members_[index].value;
}

const json_value& json_value::item(std::size_t index) const noexcept {
  if (const auto* const items = if_list()) return (*items)[index];
  return if_object()->members_[index].value;
}

void json_value::drop_last() noexcept {
  if (auto* const items = if_list()) {
    items->pop_back();
  } else {
    if_object()->members_.pop_back();
  }
}

// Of a list or object as many places for its items, which stay null.
void json_value::copy_flat(const json_value& from) {
  if (const auto* const items = from.if_list()) {
    held_.emplace<list>(items->size());
  } else if (const auto* const object = from.if_object()) {
    auto& members = held_.emplace<json_object>().members_;
    members.reserve(object->size());
    for (const auto& member : *object) members.push_back({member.name, nullptr});
  } else {
    std::visit(
        [&](const auto& value) {
          using held = std::remove_cvref_t<decltype(value)>;
          if constexpr (!std::is_same_v<held, list> && !std::is_same_v<held, json_object>) held_ = value;
        },
        from.held_);
  }
}

json_value::json_value(const json_value& other) {
  struct step {
    const json_value* from;
    json_value* into;
    std::size_t next;
  };
  copy_flat(other);
  if (!is_container()) return;
  std::vector<step> open{{&other, this, 0}};
  while (!open.empty()) {
    auto& [from, into, next] = open.back();
    if (next == from->size()) {
      open.pop_back();
      continue;
    }
    const auto& item_from = from->item(next);
    auto& item_into = into->item(next++);
    item_into.copy_flat(item_from);
    if (item_into.is_container()) open.push_back({&item_from, &item_into, 0});
  }
}

json_value& json_value::operator=(json_value&& other) noexcept {
  if (this == &other) return *this;
  // What was here ends only when the new value is in place: it may be a part of it.
  auto former = std::exchange(held_, std::move(other.held_));
  json_value ends;
  ends.held_ = std::move(former);
  return *this;
}

// Of lists and objects their lengths and names.
bool json_value::equals_flat(const json_value& other) const noexcept {
  if (held_.index() != other.held_.index()) return false;
  if (if_list() != nullptr) return size() == other.size();
  if (const auto* const object = if_object()) {
    return std::equal(
        object->begin(), object->end(), other.if_object()->begin(), other.if_object()->end(),
        [](const json_member& one, const json_member& another) { return one.name == another.name; });
  }
  return std::visit(
      [&](const auto& value) {
        using held = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<held, list> || std::is_same_v<held, json_object>) {
          return true;
        } else {
          return value == *std::get_if<held>(&other.held_);
        }
      },
      held_);
}

bool json_value::operator==(const json_value& other) const noexcept {
  struct step {
    const json_value* one;
    const json_value* other;
    std::size_t next;
  };
  if (!equals_flat(other)) return false;
  if (!is_container()) return true;
  std::vector<step> open{{this, &other, 0}};
  while (!open.empty()) {
    auto& [one, another, next] = open.back();
    if (next == one->size()) {
      open.pop_back();
      continue;
    }
    const auto& left = one->item(next);
    const auto& right = another->item(next++);
    if (!left.equals_flat(right)) return false;
    if (left.is_container()) open.push_back({&left, &right, 0});
  }
  return true;
}

// Ends nested values without recursion and without memory: what is left of a list or object is put into the
// place of the last item of that which is taken apart next.
void json_value::take_apart() noexcept {
  json_value rest = std::move(*this);
  while (rest.size() > 0) {
    json_value part = std::move(rest.item(rest.size() - 1));
    rest.drop_last();
    while (part.size() > 0) {
      auto inner = std::exchange(part.item(part.size() - 1).held_, std::move(rest.held_));
      rest.held_ = std::move(part.held_);
      part.held_ = std::move(inner);
    }
  }
}

value_kind json_value::kind() const noexcept {
  constexpr value_kind kinds[] = {
      value_kind::null,   value_kind::boolean, value_kind::integer, value_kind::unsigned_integer,
      value_kind::number, value_kind::text,    value_kind::list,    value_kind::object};
  return kinds[held_.index()];
}

json_value parse_json(std::string_view text, std::size_t bytes_max) {
  return json_decoder(text, {.bytes_max = bytes_max, .depth_max = json_depth_max}).value();
}

std::string to_text(const json_value& value, json_style style) {
  std::string out;
  json_encoder(out, style).value(value);
  return out;
}

std::string to_characters(std::span<const std::byte> data) {
  std::string text;
  text.reserve(data.size());
  for (const std::byte one : data) {
    const auto code = std::to_integer<unsigned>(one);
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else {
      text += static_cast<char>(0xC0 | (code >> 6U));
      text += static_cast<char>(0x80 | (code & 0x3FU));
    }
  }
  return text;
}

std::optional<bytes> from_characters(std::string_view text) {
  bytes data;
  data.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto code = static_cast<unsigned char>(text[i]);
    if (code >= 0x80) {
      // U+0080 to U+00FF are two bytes, of which the first is C2 or C3.
      if ((code != 0xC2 && code != 0xC3) || i + 1 == text.size()) return std::nullopt;
      code = static_cast<unsigned char>((code << 6U) | (static_cast<unsigned char>(text[++i]) & 0x3FU));
    }
    data.push_back(std::byte{code});
  }
  return data;
}

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

}  // namespace weft::wire

namespace weft {

using wire::json_member;
using wire::json_object;
using wire::json_value;

namespace {

void encode_any(encoder& out, const json_value& value);

void encode_list(encoder& out, const json_value::list& list) {
  out.begin_list(list.size());
  for (const auto& item : list) encode_any(out, item);
  out.end_list();
}

void encode_object(encoder& out, const json_object& object) {
  out.begin_object(object.size());
  for (const auto& member : object) {
    out.key(member.name);
    encode_any(out, member.value);
  }
  out.end_object();
}

void encode_any(encoder& out, const json_value& value) {
  switch (value.kind()) {
    case value_kind::boolean:
      return out.boolean(*value.if_boolean());
    case value_kind::integer:
      return out.integer(*value.if_integer());
    case value_kind::unsigned_integer:
      return out.unsigned_integer(*value.if_unsigned());
    case value_kind::number:
      return out.number(*value.if_number());
    case value_kind::text:
      return out.text(*value.if_text());
    case value_kind::list:
      return encode_list(out, *value.if_list());
    case value_kind::object:
      return encode_object(out, *value.if_object());
    default:
      return out.null();
  }
}

json_value decode_any(decoder& in);

json_value decode_list(decoder& in) {
  json_value::list items;
  in.begin_list();
  while (in.next_item()) items.push_back(decode_any(in));
  return items;
}

json_value decode_object(decoder& in) {
  std::vector<json_member> members;
  in.begin_object();
  std::string_view name;
  while (in.next_member(name)) {
    std::string owned(name);
    members.push_back({std::move(owned), decode_any(in)});
  }
  return json_object(std::move(members));
}

json_value decode_binary(decoder& in) {
  bytes data;
  in.binary(data);
  return wire::to_characters(data);
}

json_value decode_any(decoder& in) {
  switch (in.peek()) {
    case value_kind::boolean:
      return in.boolean();
    case value_kind::integer:
      return in.integer();
    case value_kind::unsigned_integer:
      return in.unsigned_integer();
    case value_kind::number:
      return in.number();
    case value_kind::text:
      return in.text();
    case value_kind::binary:
      return decode_binary(in);
    case value_kind::list:
      return decode_list(in);
    case value_kind::object:
      return decode_object(in);
    default:
      in.null();
      return nullptr;
  }
}

}  // namespace

// Between JSON and JSON it goes as it is, and as deep as it is.
void codec<json_value>::encode(encoder& out, const json_value& value) {
  if (auto* const json = dynamic_cast<wire::json_encoder*>(&out)) {
    json->value(value);
  } else {
    encode_any(out, value);
  }
}

void codec<json_value>::decode(decoder& in, json_value& into) {
  if (auto* const text = dynamic_cast<wire::json_decoder*>(&in)) {
    into = text->value();
  } else if (auto* const value = dynamic_cast<wire::json_value_decoder*>(&in)) {
    into = value->value();
  } else {
    into = decode_any(in);
  }
}

void codec<json_value>::schema(schema_writer& out) { out.write("json"); }

}  // namespace weft
