#include <bit>
#include <utility>

#include <weft/wire/json_value.hpp>

#include "wire/json_tape.hpp"

namespace weft::inline v1::wire::detail {

namespace {

bool is_open(value_kind kind) noexcept { return kind == value_kind::list || kind == value_kind::object; }

json_value scalar_at(const json_tape& from, std::size_t index) {
  const auto& node = from[index];
  switch (node.kind) {
    case value_kind::boolean:
      return node.value != 0;
    case value_kind::integer:
      return static_cast<std::int64_t>(node.value);
    case value_kind::unsigned_integer:
      return node.value;
    case value_kind::number:
      if (node.length != 0) return from.text_at(index);
      return std::bit_cast<double>(node.value);
    case value_kind::text:
      return from.text_at(index);
    default:
      return nullptr;
  }
}

// A list or object of which some items are still to come.
class open_value {
 public:
  explicit open_value(const json_tape::node& node)
      : is_list_(node.kind == value_kind::list), left_(node.length) {
    if (is_list_) {
      items_.reserve(left_);
    } else {
      members_.reserve(left_);
    }
  }

  /// Is there another item? Then its name, if it has one, is taken.
  bool begin_next(const json_tape& from, std::size_t& next) {
    if (left_ == 0) return false;
    --left_;
    if (!is_list_) name_ = from.text_at(next++);
    return true;
  }
  void add(json_value made) {
    if (is_list_) {
      items_.push_back(std::move(made));
    } else {
      members_.push_back({std::move(name_), std::move(made)});
    }
  }
  json_value close() {
    return is_list_ ? json_value(std::move(items_)) : json_value(json_object(std::move(members_)));
  }

 private:
  bool is_list_;
  std::uint32_t left_;
  std::string name_;  // of the next member
  json_value::list items_;
  std::vector<json_member> members_;
};

}  // namespace

// The nodes of a value follow each other, so one pass makes it; without recursion, as it may be nested deep.
json_value take_value(const json_tape& from, std::size_t& next) {
  std::vector<open_value> open;
  while (true) {
    json_value made;
    const std::size_t index = next++;
    if (is_open(from[index].kind)) {
      open.emplace_back(from[index]);
    } else {
      made = scalar_at(from, index);
      if (open.empty()) return made;
      open.back().add(std::move(made));
    }
    while (!open.back().begin_next(from, next)) {
      made = open.back().close();
      open.pop_back();
      if (open.empty()) return made;
      open.back().add(std::move(made));
    }
  }
}

}  // namespace weft::inline v1::wire::detail
