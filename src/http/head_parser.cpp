#include "http/head_parser.hpp"

#include <cstring>

#include "http/chars.hpp"

namespace weft::inline v1::http::detail {

void head_parser::restart() noexcept {
  seen_ = {};
  refusal_ = {};
  line_begin_ = 0;
  scanned_ = 0;
}

progress head_parser::refuse(int status, const char* why) noexcept {
  refusal_ = {status, why};
  return progress::refused;
}

progress head_parser::next_line(std::string_view buffered, const line_bound& bound,
                                std::string_view& line) noexcept {
  const char* const begin = buffered.data();
  const std::size_t unseen = buffered.size() - scanned_;
  const auto* const feed =
      unseen == 0 ? nullptr : static_cast<const char*>(std::memchr(begin + scanned_, '\n', unseen));
  const std::size_t end = feed == nullptr ? buffered.size() : static_cast<std::size_t>(feed - begin);
  if (end > bound.bytes_max) return refuse(bound.status, bound.why);
  scanned_ = end;
  if (feed == nullptr) return progress::more;
  if (end == line_begin_ || begin[end - 1] != '\r') return refuse(400, "a line ends without CR");
  line = buffered.substr(line_begin_, end - 1 - line_begin_);
  scanned_ = end + 1;
  line_begin_ = end + 1;
  return progress::done;
}

const char* cut_field(std::string_view line, header& field) noexcept {
  if (is_blank(line.front())) return "a folded header line";
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return "a header line without a colon";
  field.name = line.substr(0, colon);
  if (!token_bytes.spells(field.name)) return "a bad header name";
  field.value = trim_blanks(line.substr(colon + 1));
  return is_field_value(field.value) ? nullptr : "a control byte in a header value";
}

progress head_parser::add_field(std::string_view line, message_head& head) {
  header field;
  if (const char* const why = cut_field(line, field)) return refuse(400, why);
  return add_field(field, head);
}

progress head_parser::add_field(const header& field, message_head& head) {
  if (head.fields.size() >= limits_.header_count_max) return refuse(431, "too many header fields");
  head.fields.push_back(field);
  return note_framing(field);
}

progress head_parser::note_framing(const header& field) noexcept {
  switch (field.name.size()) {
    case 14:
      return same_name(field.name, "content-length") ? note_content_length(field.value) : progress::done;
    case 17:
      return same_name(field.name, "transfer-encoding") ? note_transfer_encoding(field.value)
                                                        : progress::done;
    case 10:
      if (same_name(field.name, "connection")) {
        seen_.close |= has_list_token(field.value, "close");
        seen_.keep_alive |= has_list_token(field.value, "keep-alive");
      }
      return progress::done;
    default:
      return progress::done;
  }
}

progress head_parser::note_content_length(std::string_view value) noexcept {
  if (seen_.content_length) return refuse(400, "more than one Content-Length");
  // 18 digits fit into 64 bits with room; more are no honest length.
  if (!digit_bytes.spells(value) || value.size() > 18) return refuse(400, "a bad Content-Length");
  std::uint64_t length = 0;
  for (const char digit : value) length = length * 10 + static_cast<std::uint64_t>(digit - '0');
  seen_.content_length = length;
  return progress::done;
}

progress head_parser::note_transfer_encoding(std::string_view value) noexcept {
  if (seen_.chunked) return refuse(400, "more than one Transfer-Encoding");
  if (!same_name(value, "chunked")) return refuse(400, "a Transfer-Encoding other than chunked");
  seen_.chunked = true;
  return progress::done;
}

}  // namespace weft::inline v1::http::detail
