#include <charconv>
#include <cmath>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/wire/base64.hpp>
#include <weft/wire/json.hpp>
#include <weft/wire/json_value.hpp>
#include <weft/wire/utf8.hpp>

namespace weft::inline v1::wire {
namespace {

template <typename Number>
void append_number(std::string& out, Number value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end.ptr);
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += hex[static_cast<unsigned char>(c) >> 4];
      out += hex[static_cast<unsigned char>(c) & 15];
  }
}

void append_text(std::string& out, std::string_view value) {
  require_utf8(value);
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out += value.substr(plain, i - plain);
    append_escaped(out, value[i]);
    plain = i + 1;
  }
  out += value.substr(plain);
  out += '"';
}

void require_depth(std::size_t open) {
  if (open < json_depth_max) return;
  throw error(errc::too_large, "encode: lists and objects are nested more than " +
                                   std::to_string(json_depth_max) + " deep; make the value flatter");
}

}  // namespace

void json_encoder::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
  has_begun_ = true;
}

void json_encoder::null() {
  separate();
  out_ += "null";
}

void json_encoder::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
}

void json_encoder::integer(std::int64_t value) {
  separate();
  append_number(out_, value);
}

void json_encoder::unsigned_integer(std::uint64_t value) {
  separate();
  append_number(out_, value);
}

void json_encoder::number(double value) {
  has_begun_ = true;
  if (!std::isfinite(value)) {
    throw error(errc::invalid_argument,
                "encode: a double is infinite or not a number, which no format can hold");
  }
  constexpr double whole_max = 9007199254740992.0;  // 2^53
  if (style_.whole_doubles_as_integers && std::fabs(value) <= whole_max && std::trunc(value) == value) {
    integer(static_cast<std::int64_t>(value));
    return;
  }
  separate();
  const std::size_t begin = out_.size();
  append_number(out_, value);
  // A fraction or an exponent keeps it a double for the reader.
  if (out_.find_first_of(".e", begin) == std::string::npos) out_ += ".0";
}

void json_encoder::text(std::string_view value) {
  separate();
  append_text(out_, value);
}

void json_encoder::binary(std::span<const std::byte> value) {
  if (style_.bytes_as_characters) {
    text(to_characters(value));
    return;
  }
  separate();
  out_ += '"';
  out_ += to_base64(value);
  out_ += '"';
}

void json_encoder::key(std::string_view name) {
  separate();
  append_text(out_, name);
  out_ += ':';
  needs_comma_ = false;
}

void json_encoder::open_list(std::size_t) {
  separate();
  out_ += '[';
  needs_comma_ = false;
  ++depth_;
}

void json_encoder::close_list() {
  out_ += ']';
  needs_comma_ = true;
  --depth_;
}

void json_encoder::open_object(std::size_t) {
  separate();
  out_ += '{';
  needs_comma_ = false;
  ++depth_;
}

void json_encoder::close_object() {
  out_ += '}';
  needs_comma_ = true;
  --depth_;
}

void json_encoder::scalar(const json_value& any) {
  if (const auto* const held_text = any.if_text()) {
    text(*held_text);
  } else if (const auto* const held_integer = any.if_integer()) {
    integer(*held_integer);
  } else if (const auto* const held_unsigned = any.if_unsigned()) {
    unsigned_integer(*held_unsigned);
  } else if (const auto* const held_number = any.if_number()) {
    number(*held_number);
  } else if (const auto* const held_boolean = any.if_boolean()) {
    boolean(*held_boolean);
  } else {
    null();
  }
}

// By itself, as the encoder's own bound of depth is for values of a known type; and without recursion.
void json_encoder::value(const json_value& any) {
  struct step {
    const json_value::list* list;  // null: the object
    const json_object* object;
    std::size_t next;
  };
  std::vector<step> open;
  const json_value* at = &any;
  while (true) {
    const step begun{at->if_list(), at->if_object(), 0};
    if (begun.list == nullptr && begun.object == nullptr) {
      scalar(*at);
    } else {
      require_depth(depth_);
      open.push_back(begun);
      if (begun.list != nullptr) {
        open_list(begun.list->size());
      } else {
        open_object(begun.object->size());
      }
    }
    while (!open.empty() && open.back().next == (open.back().list != nullptr ? open.back().list->size()
                                                                             : open.back().object->size())) {
      if (open.back().list != nullptr) {
        close_list();
      } else {
        close_object();
      }
      open.pop_back();
    }
    if (open.empty()) return;
    auto& inside = open.back();
    if (inside.list != nullptr) {
      at = &(*inside.list)[inside.next++];
    } else {
      const auto& member = inside.object->begin()[inside.next++];
      key(member.name);
      at = &member.value;
    }
  }
}

}  // namespace weft::inline v1::wire
