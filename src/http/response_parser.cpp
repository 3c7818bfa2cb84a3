#include "http/chars.hpp"
#include "http/head_parser.hpp"

namespace weft::inline v1::http::detail {

void response_parser::restart(std::string_view method) noexcept {
  head_parser::restart();
  head_.fields.clear();
  std::vector<header> kept = std::move(head_.fields);
  head_ = {};
  head_.fields = std::move(kept);
  to_head_request_ = method == "HEAD";
  has_line_ = false;
}

progress response_parser::advance(std::string_view buffered) {
  while (true) {
    std::string_view line;
    const progress cut = next_line(buffered, whole_head(), line);
    if (cut != progress::done) return cut;
    if (has_line_ && line.empty()) return finish();
    const progress parsed = has_line_ ? add_field(line, head_) : parse_status_line(line);
    if (parsed != progress::done) return parsed;
  }
}

progress response_parser::parse_status_line(std::string_view line) {
  has_line_ = true;
  // HTTP/1.1 200 OK
  const bool well_formed = line.size() >= 12 && line.substr(0, 7) == "HTTP/1." && digit_bytes.has(line[7]) &&
                           line[8] == ' ' && digit_bytes.spells(line.substr(9, 3)) &&
                           (line.size() == 12 || line[12] == ' ') && is_field_value(line);
  if (!well_formed || line[9] == '0') return refuse(502, "a bad status line");
  head_.minor_version = line[7] == '0' ? 0 : 1;
  head_.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  return progress::done;
}

progress response_parser::finish() noexcept {
  if (seen_.chunked && seen_.content_length) return refuse(502, "Transfer-Encoding with Content-Length");
  if (seen_.chunked && head_.minor_version == 0) return refuse(502, "Transfer-Encoding in HTTP/1.0");
  head_.keep_alive = !seen_.close && (head_.minor_version == 1 || seen_.keep_alive);
  const bool has_no_body =
      to_head_request_ || head_.status < 200 || head_.status == 204 || head_.status == 304;
  if (has_no_body) return progress::done;
  if (seen_.chunked) {
    head_.body = framing::chunked;
  } else if (!seen_.content_length) {
    head_.body = framing::until_close;
    head_.keep_alive = false;
  } else if (*seen_.content_length > 0) {
    head_.body = framing::length;
    head_.content_length = *seen_.content_length;
    if (head_.content_length > limits_.body_bytes_max) return refuse(502, "the body is too large");
  }
  return progress::done;
}

}  // namespace weft::inline v1::http::detail
