#include <algorithm>

#include <weft/wire/json.hpp>
#include <weft/wire/json_value.hpp>

namespace weft::inline v1::wire {

json_value parse_json(std::string_view text, std::size_t bytes_max) {
  json_limits limits{.bytes_max = bytes_max, .depth_max = json_depth_max};
  limits.values_max = json_values_max(bytes_max);
  return json_decoder(text, limits).value();
}

std::string to_text(const json_value& value, json_style style, std::size_t depth) {
  std::string out;
  json_encoder(out, style, depth).value(value);
  return out;
}

}  // namespace weft::inline v1::wire

namespace weft::inline v1 {

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

}  // namespace weft::inline v1
