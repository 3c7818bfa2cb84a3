#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>

#include <boost/json/basic_parser_impl.hpp>

#include <weft/core/error.hpp>
#include <weft/wire/base64.hpp>
#include <weft/wire/json.hpp>
#include <weft/wire/json_value.hpp>

#include "wire/utf8.hpp"

// Boost.JSON checks and splits the text; its events become a flat list of nodes, in the order of the
// text, which is then pulled. Boost's own doubles are not rounded correctly (in 1.81), so they are
// made again from their digits.

namespace weft::wire {

struct json_decoder::parsed {
  struct node {
    value_kind kind = value_kind::null;
    std::uint32_t length = 0;  // of a text; items of a list; members of an object; digits of a long integer
    std::uint64_t value =
        0;  // the number's or truth value's bits; where a text or long integer begins in texts
  };

  std::vector<node> nodes;
  std::string texts;
};

namespace {

namespace json = boost::json;

bool read_double(std::string_view digits, double& into) {
  return std::from_chars(digits.data(), digits.data() + digits.size(), into).ec == std::errc();
}

// The handler of boost::json::basic_parser.
template <typename Parsed>
class tape_writer {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t max_array_size = max_object_size;
  static constexpr std::size_t max_key_size = max_object_size;
  static constexpr std::size_t max_string_size = max_object_size;

  explicit tape_writer(Parsed& out) : out_(&out) {}

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_array_begin(json::error_code&) { return open(value_kind::list); }
  bool on_array_end(std::size_t count, json::error_code&) { return close(count); }
  bool on_object_begin(json::error_code&) { return open(value_kind::object); }
  bool on_object_end(std::size_t count, json::error_code&) { return close(count); }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) { return add_text(part); }
  bool on_string(json::string_view part, std::size_t size, json::error_code&) { return end_text(part, size); }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return add_text(part); }
  bool on_key(json::string_view part, std::size_t size, json::error_code&) { return end_text(part, size); }

  bool on_number_part(json::string_view part, json::error_code&) {
    digits_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t value, json::string_view, json::error_code&) {
    digits_.clear();
    return add(value_kind::integer, static_cast<std::uint64_t>(value));
  }
  bool on_uint64(std::uint64_t value, json::string_view, json::error_code&) {
    digits_.clear();
    return add(value_kind::unsigned_integer, value);
  }
  bool on_double(double, json::string_view rest, json::error_code& ec) {
    digits_.append(rest.data(), rest.size());
    double value = 0;
    // Out of range both when it is too large and when it is too small to tell from zero.
    if (!read_double(digits_, value)) {
      digits_.clear();
      ec = json::error::exponent_overflow;
      return false;
    }
    if (digits_.find_first_of(".eE") == std::string::npos) return add_long_integer();
    digits_.clear();
    return add(value_kind::number, std::bit_cast<std::uint64_t>(value));
  }
  bool on_bool(bool value, json::error_code&) { return add(value_kind::boolean, value ? 1 : 0); }
  bool on_null(json::error_code&) { return add(value_kind::null, 0); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  bool add(value_kind kind, std::uint64_t value, std::size_t length = 0) {
    out_->nodes.push_back({kind, static_cast<std::uint32_t>(length), value});
    return true;
  }
  bool open(value_kind kind) {
    open_.push_back(out_->nodes.size());
    return add(kind, 0);
  }
  bool close(std::size_t count) {
    out_->nodes[open_.back()].length = static_cast<std::uint32_t>(count);
    open_.pop_back();
    return true;
  }
  // More than 64 bits hold: its digits are kept for those who want them all.
  bool add_long_integer() {
    const std::size_t begin = out_->texts.size();
    out_->texts += digits_;
    const std::size_t length = digits_.size();
    digits_.clear();
    return add(value_kind::number, begin, length);
  }
  bool add_text(json::string_view part) {
    out_->texts.append(part.data(), part.size());
    return true;
  }
  bool end_text(json::string_view part, std::size_t size) {
    add_text(part);
    return add(value_kind::text, out_->texts.size() - size, size);
  }

  Parsed* out_;
  std::vector<std::size_t> open_;  // nodes of the lists and objects that are open
  std::string digits_;
};

std::string place_of(std::string_view text, std::size_t at) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (const char c : text.substr(0, at)) {
    column = c == '\n' ? 1 : column + 1;
    if (c == '\n') ++line;
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

// Behind the quote that ends the text which begins at `begin`; the end of all where there is none.
std::size_t end_of_text(std::string_view text, std::size_t begin) {
  for (std::size_t at = begin + 1; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

[[noreturn]] void throw_not_json(std::string_view text, std::size_t at, const std::string& why) {
  // The parser calls bytes that are no UTF-8 a syntax error, which sends people the wrong way.
  const std::string reason = is_utf8(text) ? why : "the text is not valid UTF-8";
  throw error(errc::malformed, "decode: not JSON at " + place_of(text, at) + ": " + reason);
}

// --- nested values without recursion ---
//
// Boost's parser takes stack for each level, about as much as a fiber has for json_depth_max of them. So
// deeper values than usual are taken apart here, bracket by bracket, and Boost reads what is between the
// brackets.

// How deep the lists and objects of a text are nested, if it is JSON.
std::size_t depth_of(std::string_view text) {
  std::size_t depth = 0;
  std::size_t depth_max = 0;
  for (std::size_t at = text.find_first_of("[]{}\""); at < text.size();
       at = text.find_first_of("[]{}\"", at + 1)) {
    if (text[at] == '"') {
      at = end_of_text(text, at) - 1;
    } else if (text[at] == '[' || text[at] == '{') {
      depth_max = std::max(depth_max, ++depth);
    } else if (depth > 0) {
      --depth;
    }
  }
  return depth_max;
}

template <typename Parsed>
class deep_parser {
 public:
  deep_parser(std::string_view text, std::size_t depth_max, Parsed& into)
      : text_(text), depth_max_(depth_max), scalars_({}, into), out_(into) {}

  void parse() {
    skip_space();
    begin_value();
    while (!open_.empty()) {
      skip_space();
      auto& inside = open_.back();
      if (looks_at(inside.is_list ? ']' : '}')) {
        end_value();
        continue;
      }
      if (inside.count++ > 0) take(',');
      if (!inside.is_list) read_name();
      begin_value();
    }
    skip_space();
    if (at_ != text_.size()) fail("something follows the value");
  }

 private:
  struct level {
    bool is_list;
    std::size_t node;
    std::uint32_t count;  // items or members begun
  };

  void begin_value() {
    if (!looks_at('[') && !looks_at('{')) return scalar();
    if (open_.size() == depth_max_) fail("nested too deep");
    const bool is_list = looks_at('[');
    open_.push_back({is_list, out_.nodes.size(), 0});
    out_.nodes.push_back({is_list ? value_kind::list : value_kind::object});
    ++at_;
  }

  void end_value() {
    out_.nodes[open_.back().node].length = open_.back().count;
    open_.pop_back();
    ++at_;
  }

  void read_name() {
    if (!looks_at('"')) fail("a member has no name");
    scalar();
    skip_space();
    take(':');
  }

  void scalar() {
    const std::size_t end = looks_at('"')
                                ? end_of_text(text_, at_)
                                : std::min(text_.find_first_of(",:[]{}\" \t\r\n", at_), text_.size());
    json::error_code ec;
    scalars_.reset();
    const std::size_t read = scalars_.write_some(false, text_.data() + at_, end - at_, ec);
    if (ec) throw_not_json(text_, at_ + read, ec.message());
    if (at_ + read != end) fail("syntax error");
    at_ = end;
  }

  void take(char wanted) {
    if (!looks_at(wanted)) fail("syntax error");
    ++at_;
    skip_space();
  }
  bool looks_at(char one) const noexcept { return at_ < text_.size() && text_[at_] == one; }
  void skip_space() noexcept { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  [[noreturn]] void fail(const char* why) const { throw_not_json(text_, at_, why); }

  std::string_view text_;
  std::size_t depth_max_;
  json::basic_parser<tape_writer<Parsed>> scalars_;
  Parsed& out_;
  std::size_t at_ = 0;
  std::vector<level> open_;
};

template <typename Parsed>
void parse(std::string_view text, std::size_t depth_max, Parsed& into) {
  if (depth_max > codec_depth_max && depth_of(text) > codec_depth_max) {
    deep_parser<Parsed>(text, depth_max, into).parse();
    return;
  }
  json::parse_options options;
  options.max_depth = depth_max;
  json::basic_parser<tape_writer<Parsed>> parser(options, into);
  json::error_code ec;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
  if (ec) throw_not_json(text, read, ec.message());
  if (read != text.size()) throw_not_json(text, read, "something follows the value");
}

}  // namespace

json_decoder::json_decoder(std::string_view text, json_limits limits) {
  if (text.size() > limits.bytes_max) {
    throw error(errc::too_large, "decode: a JSON text of " + std::to_string(text.size()) +
                                     " bytes is over the limit of " + std::to_string(limits.bytes_max));
  }
  auto fresh = std::make_unique<parsed>();
  parse(text, limits.depth_max, *fresh);
  parsed_ = std::move(fresh);
}

json_decoder::~json_decoder() = default;

value_kind json_decoder::peek() { return parsed_->nodes[next_].kind; }

void json_decoder::read_null() { ++next_; }

bool json_decoder::read_boolean() { return parsed_->nodes[next_++].value != 0; }

std::int64_t json_decoder::read_integer() { return static_cast<std::int64_t>(parsed_->nodes[next_++].value); }

std::uint64_t json_decoder::read_unsigned() { return parsed_->nodes[next_++].value; }

double json_decoder::read_number() { return number_at(next_++); }

std::string_view json_decoder::read_text() { return text_at(next_++); }

std::string_view json_decoder::text_at(std::size_t index) const {
  const auto& node = parsed_->nodes[index];
  return std::string_view(parsed_->texts).substr(node.value, node.length);
}

double json_decoder::number_at(std::size_t index) const {
  const auto& node = parsed_->nodes[index];
  if (node.length == 0) return std::bit_cast<double>(node.value);
  double value = 0;
  read_double(text_at(index), value);
  return value;
}

json_value json_decoder::scalar() {
  const std::size_t index = next_++;
  const auto& node = parsed_->nodes[index];
  switch (node.kind) {
    case value_kind::boolean:
      return node.value != 0;
    case value_kind::integer:
      return static_cast<std::int64_t>(node.value);
    case value_kind::unsigned_integer:
      return node.value;
    case value_kind::number:
      if (node.length != 0) return text_at(index);
      return std::bit_cast<double>(node.value);
    case value_kind::text:
      return text_at(index);
    default:
      return nullptr;
  }
}

// The nodes of a value follow each other, so one pass makes it; without recursion, as it may be nested deep.
json_value json_decoder::value() {
  struct open_value {
    bool is_list;
    std::uint32_t left;
    std::string name;  // of the next member
    json_value::list items;
    std::vector<json_member> members;
  };
  std::vector<open_value> open;
  const auto add = [&](json_value made) {
    auto& into = open.back();
    if (into.is_list) {
      into.items.push_back(std::move(made));
    } else {
      into.members.push_back({std::move(into.name), std::move(made)});
    }
  };
  while (true) {
    const auto& node = parsed_->nodes[next_];
    json_value made;
    if (node.kind == value_kind::list || node.kind == value_kind::object) {
      ++next_;
      open.push_back({node.kind == value_kind::list, node.length, {}, {}, {}});
    } else {
      made = scalar();
      if (open.empty()) return made;
      add(std::move(made));
    }
    while (open.back().left == 0) {
      auto done = std::move(open.back());
      open.pop_back();
      made =
          done.is_list ? json_value(std::move(done.items)) : json_value(json_object(std::move(done.members)));
      if (open.empty()) return made;
      add(std::move(made));
    }
    --open.back().left;
    if (!open.back().is_list) open.back().name = text_at(next_++);
  }
}

void json_decoder::read_binary(bytes& into) {
  auto data = from_base64(read_text());
  if (!data) fail("expected bytes as base64 text, found other text");
  into = std::move(*data);
}

std::size_t json_decoder::open_list() {
  left_.push_back(parsed_->nodes[next_++].length);
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

}  // namespace weft::wire
