#include <weft/wire/json_value.hpp>

#include <algorithm>
#include <type_traits>

namespace weft::inline v1::wire {

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

}  // namespace weft::inline v1::wire
