#include "http/chars.hpp"
#include "http/head_parser.hpp"

namespace weft::inline v1::http::detail {

void request_parser::restart() noexcept {
  request_rules::restart();
  has_line_ = false;
  skipped_blank_ = false;
}

progress request_parser::advance(std::string_view buffered) {
  if (!has_line_ && !buffered.empty() && buffered[0] != '\r' && !token_bytes.has(buffered[0])) {
    return refuse(400, "a bad method");  // such as TLS, which may never send an end of line
  }
  while (true) {
    std::string_view line;
    const line_bound first_line{limits_.request_line_bytes_max, 414, "the request line is too long"};
    const progress cut = next_line(buffered, has_line_ ? whole_head() : first_line, line);
    if (cut != progress::done) return cut;

    progress parsed = progress::done;
    if (!has_line_) {
      if (line.empty() && !skipped_blank_) {  // RFC 9112, 2.2: one empty line in front is let pass
        skipped_blank_ = true;
        continue;
      }
      parsed = parse_request_line(line);
    } else if (line.empty()) {
      return finish();
    } else {
      parsed = add_field(line, head_);
      if (parsed == progress::done) parsed = note_field();
    }
    if (parsed != progress::done) return parsed;
  }
}

progress request_parser::parse_request_line(std::string_view line) {
  has_line_ = true;
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) return refuse(400, "a bad request line");
  head_.method = line.substr(0, first);
  head_.target = line.substr(first + 1, second - first - 1);
  if (!token_bytes.spells(head_.method)) return refuse(400, "a bad method");
  if (!target_bytes.spells(head_.target)) return refuse(400, "a bad request target");
  const progress version = parse_version(line.substr(second + 1));
  return version == progress::done ? parse_target() : version;
}

progress request_parser::parse_version(std::string_view version) noexcept {
  const bool well_formed = version.size() == 8 && version.substr(0, 5) == "HTTP/" && version[6] == '.' &&
                           digit_bytes.has(version[5]) && digit_bytes.has(version[7]);
  if (!well_formed) return refuse(400, "a bad protocol version");
  if (version[5] != '1' || version[7] > '1') return refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  head_.minor_version = version[7] - '0';
  return progress::done;
}

void request_parser::rebase(const char* from, const char* to) noexcept {
  const auto move = [&](std::string_view& view) {
    // "/" of an empty path is a literal and not in the buffer; nothing else is.
    if (view.empty() || view.data() < from || view.data() >= from + head_bytes()) return;
    view = {to + (view.data() - from), view.size()};
  };
  for (std::string_view* const view :
       {&head_.method, &head_.target, &head_.path, &head_.query, &head_.host, &authority_}) {
    move(*view);
  }
  for (header& field : head_.fields) {
    move(field.name);
    move(field.value);
  }
}

}  // namespace weft::inline v1::http::detail
