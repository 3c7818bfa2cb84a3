#include "wire/json_deep_parser.hpp"

#include <algorithm>
#include <vector>

#include "wire/json_tape_writer.hpp"
#include "wire/json_text.hpp"

// Boost's parser takes stack for each level, about as much as a fiber has for json_depth_max of them. So
// deeper values than usual are taken apart here, bracket by bracket, and Boost reads what is between the
// brackets.

namespace weft::inline v1::wire::detail {

namespace {

class deep_parser {
 public:
  deep_parser(std::string_view text, std::size_t depth_max, json_tape& into)
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
    open_.push_back({is_list, out_.size(), 0});
    out_.add(is_list ? value_kind::list : value_kind::object);
    ++at_;
  }

  void end_value() {
    out_.set_length(open_.back().node, open_.back().count);
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
  json::basic_parser<tape_writer> scalars_;
  json_tape& out_;
  std::size_t at_ = 0;
  std::vector<level> open_;
};

}  // namespace

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

void parse_deep(std::string_view text, std::size_t depth_max, json_tape& into) {
  deep_parser(text, depth_max, into).parse();
}

}  // namespace weft::inline v1::wire::detail
