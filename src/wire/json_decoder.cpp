#include <bit>

#include <weft/core/error.hpp>
#include <weft/wire/base64.hpp>
#include <weft/wire/json.hpp>
#include <weft/wire/json_value.hpp>

#include "wire/json_tape.hpp"

// The text is checked and split as a whole, into a flat list of nodes, which is then pulled.

namespace weft::inline v1::wire {

json_decoder::json_decoder(std::string_view text, json_limits limits) {
  if (text.size() > limits.bytes_max) {
    throw error(errc::too_large, "decode: a JSON text of " + std::to_string(text.size()) +
                                     " bytes is over the limit of " + std::to_string(limits.bytes_max));
  }
  auto fresh = std::make_unique<detail::json_tape>(limits.values_max);
  fresh->read(text, limits.depth_max);
  tape_ = std::move(fresh);
}

json_decoder::~json_decoder() = default;

value_kind json_decoder::peek() { return (*tape_)[next_].kind; }

void json_decoder::read_null() { ++next_; }

bool json_decoder::read_boolean() { return (*tape_)[next_++].value != 0; }

std::int64_t json_decoder::read_integer() { return static_cast<std::int64_t>((*tape_)[next_++].value); }

std::uint64_t json_decoder::read_unsigned() { return (*tape_)[next_++].value; }

double json_decoder::read_number() {
  const std::size_t index = next_++;
  const auto& node = (*tape_)[index];
  if (node.length == 0) return std::bit_cast<double>(node.value);
  double value = 0;
  if (!detail::read_double(tape_->text_at(index), value)) fail("expected a number, found one out of range");
  return value;
}

std::string_view json_decoder::read_text() { return tape_->text_at(next_++); }

json_value json_decoder::value() { return detail::take_value(*tape_, next_); }

void json_decoder::read_binary(bytes& into) {
  auto data = from_base64(read_text());
  if (!data) fail("expected bytes as base64 text, found other text");
  into = std::move(*data);
}

std::size_t json_decoder::open_list() {
  left_.push_back((*tape_)[next_++].length);
  return left_.back();
}

bool json_decoder::more_items() {
  if (left_.back() == 0) {
    left_.pop_back();
    return false;
  }
  --left_.back();
  return true;
}

void json_decoder::open_object() { open_list(); }

bool json_decoder::more_members(std::string_view& name) {
  if (!more_items()) return false;
  name = read_text();
  return true;
}

}  // namespace weft::inline v1::wire
