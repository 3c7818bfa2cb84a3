#include "http/multipart/parser.hpp"

#include <algorithm>

#include "http/chars.hpp"
#include "http/parameters.hpp"

namespace weft::inline v1::http::detail {

namespace {

constexpr std::string_view line_end = "\r\n";
constexpr byte_set boundary_bytes = byte_set("'()+_,-./:=? ").with_letters_and_digits();
constexpr std::size_t boundary_bytes_max = 70;

/// Do the bytes, as far as they are there, agree with `text`?
bool agrees(std::string_view bytes, std::string_view text) noexcept {
  const std::size_t count = std::min(bytes.size(), text.size());
  return bytes.substr(0, count) == text.substr(0, count);
}

}  // namespace

std::optional<std::string> multipart_boundary(std::string_view content_type) {
  const std::optional<parameterized> type = parse_parameters(content_type);
  if (!type || !same_name(type->value, "multipart/form-data")) return std::nullopt;
  const std::string* const boundary = type->find("boundary");
  const bool is_right = boundary != nullptr && boundary_bytes.spells(*boundary) &&
                        boundary->size() <= boundary_bytes_max && !boundary->ends_with(' ');
  return is_right ? *boundary : std::string();
}

multipart_parser::multipart_parser(std::string_view boundary, const multipart_limits& bounds)
    : delimiter_("\r\n--" + std::string(boundary)), limits_(bounds) {}

multipart_parser::step multipart_parser::refuse(int status, const char* why) noexcept {
  at_ = place::refused;
  refusal_ = {status, why};
  return {.what = event::refused};
}

multipart_parser::step multipart_parser::advance(std::string_view bytes) {
  std::size_t consumed = 0;
  while (true) {
    const place before = at_;
    step next;
    switch (at_) {
      case place::opening:
        next = open(bytes);
        break;
      case place::behind_boundary:
        next = pass_boundary(bytes);
        break;
      case place::head:
        next = read_head(bytes);
        break;
      case place::data:
        next = read_data(bytes);
        break;
      case place::epilogue:
        next = read_epilogue(bytes);
        break;
      case place::refused:
        next = {.what = event::refused};
        break;
    }
    consumed += next.consumed;
    bytes.remove_prefix(next.consumed);
    const bool goes_on = next.what == event::more && at_ != before;
    if (!goes_on) return {next.what, consumed, next.data};
  }
}

multipart_parser::step multipart_parser::open(std::string_view bytes) {
  const std::string_view first = std::string_view(delimiter_).substr(line_end.size());
  if (!agrees(bytes, first)) return refuse(400, "a form that does not begin with its boundary");
  if (bytes.size() < first.size()) return {};
  at_ = place::behind_boundary;
  return {.consumed = first.size()};
}

multipart_parser::step multipart_parser::pass_boundary(std::string_view bytes) {
  const bool is_last = agrees(bytes, "--");
  if (!is_last && !agrees(bytes, line_end)) return refuse(400, "a form's boundary with something behind it");
  if (bytes.size() < 2) return {};
  if (is_last) {
    at_ = place::epilogue;
    return {.what = event::end, .consumed = 2};
  }
  if (++parts_ > limits_.parts_max) return refuse(413, "a form of too many parts");
  at_ = place::head;
  part_ = {};
  has_disposition_ = has_type_ = false;
  head_bytes_ = 0;
  return {.consumed = 2};
}

multipart_parser::step multipart_parser::read_head(std::string_view bytes) {
  step so_far;
  while (true) {
    const std::string_view rest = bytes.substr(so_far.consumed);
    const std::size_t end = rest.find('\n');
    if (head_bytes_ + std::min(end, rest.size()) > limits_.part_head_bytes_max)
      return refuse(431, "a form's part has too large a head");
    if (end == std::string_view::npos) return so_far;
    if (end == 0 || rest[end - 1] != '\r') return refuse(400, "a form's line ends without CR");
    const std::string_view line = rest.substr(0, end - 1);
    head_bytes_ += end + 1;
    so_far.consumed += end + 1;
    if (line.empty()) {
      if (!has_disposition_) return refuse(400, "a form's part without Content-Disposition");
      at_ = place::data;
      so_far.what = event::part;
      return so_far;
    }
    if (const char* const why = add_field(line)) return refuse(400, why);
  }
}

const char* multipart_parser::add_field(std::string_view line) {
  header field;
  if (const char* const why = cut_field(line, field)) return why;
  if (same_name(field.name, "content-disposition")) return add_disposition(field.value);
  if (same_name(field.name, "content-type")) {
    if (has_type_) return "a form's part with two types";
    has_type_ = true;
    part_.content_type.assign(field.value);
  } else if (same_name(field.name, "content-transfer-encoding")) {
    for (const std::string_view plain : {"binary", "8bit", "7bit"}) {
      if (same_name(field.value, plain)) return nullptr;
    }
    return "a form's part in a transfer encoding";
  }
  return nullptr;
}

const char* multipart_parser::add_disposition(std::string_view value) {
  if (has_disposition_) return "a form's part with two dispositions";
  has_disposition_ = true;
  const std::optional<parameterized> got = parse_parameters(value);
  if (!got || !same_name(got->value, "form-data")) return "a bad Content-Disposition in a form";
  // Two programs that read another one of the two names could be played against each other.
  if (got->find("filename*") != nullptr) return "filename* in a form (RFC 7578, 4.2)";
  const std::string* const name = got->find("name");
  if (name == nullptr) return "a form's part without a name";
  part_.name = *name;
  if (const std::string* const file_name = got->find("filename")) part_.file_name = *file_name;
  return nullptr;
}

multipart_parser::step multipart_parser::read_data(std::string_view bytes) {
  const std::size_t found = bytes.find(delimiter_);
  if (found == 0) {
    at_ = place::behind_boundary;
    return {.what = event::part_end, .consumed = delimiter_.size()};
  }
  std::size_t count = std::min(found, bytes.size());
  if (found == std::string_view::npos) {
    // A boundary may have begun at the last CR: it has no other one in it.
    const std::size_t last = bytes.rfind('\r');
    if (last != std::string_view::npos && agrees(bytes.substr(last), delimiter_)) count = last;
  }
  if (count == 0) return {};
  return {event::data, count, bytes.substr(0, count)};
}

multipart_parser::step multipart_parser::read_epilogue(std::string_view bytes) {
  if (!agrees(bytes, line_end.substr(epilogue_bytes_)) || bytes.size() + epilogue_bytes_ > line_end.size())
    return refuse(400, "a form with something behind its end");
  epilogue_bytes_ += bytes.size();
  return {.what = event::end, .consumed = bytes.size()};
}

}  // namespace weft::inline v1::http::detail
