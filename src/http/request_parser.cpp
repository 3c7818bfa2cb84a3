#include <algorithm>

#include "http/chars.hpp"
#include "http/head_parser.hpp"

namespace weft::inline v1::http::detail {

void request_parser::restart() noexcept {
  head_parser::restart();
  head_.fields.clear();
  std::vector<header> kept = std::move(head_.fields);
  head_ = {};
  head_.fields = std::move(kept);
  authority_ = {};
  has_line_ = false;
  has_host_ = false;
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
      parsed = add_request_field(line);
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

progress request_parser::parse_target() noexcept {
  std::string_view rest = head_.target;
  if (head_.method == "CONNECT") return refuse(501, "CONNECT is not offered");
  if (rest == "*") {
    if (head_.method != "OPTIONS") return refuse(400, "a bad request target");
    head_.path = rest;
    return progress::done;
  }
  if (rest.front() != '/') {
    // Whichever it is: who ends TLS may be another program.
    const std::size_t scheme = rest.find("://");
    if (!same_name(rest.substr(0, scheme), "http") && !same_name(rest.substr(0, scheme), "https"))
      return refuse(400, "a bad request target");
    rest.remove_prefix(std::min(scheme, rest.size()));
    rest.remove_prefix(std::min<std::size_t>(3, rest.size()));
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    authority_ = rest.substr(0, end);
    rest.remove_prefix(end);
    if (authority_.empty()) return refuse(400, "a bad request target");
  }
  const std::size_t mark = rest.find('?');
  head_.path = rest.substr(0, mark);
  if (head_.path.empty()) head_.path = "/";
  if (mark != std::string_view::npos) head_.query = rest.substr(mark + 1);
  return progress::done;
}

progress request_parser::add_request_field(std::string_view line) {
  const progress added = add_field(line, head_);
  if (added != progress::done) return added;
  const header& field = head_.fields.back();
  if (field.name.size() == 4 && same_name(field.name, "host")) {
    if (has_host_) return refuse(400, "more than one Host");
    has_host_ = true;
    head_.host = field.value;
  } else if (field.name.size() == 6 && same_name(field.name, "expect")) {
    if (!same_name(field.value, "100-continue")) return refuse(417, "an unknown expectation");
    head_.expects_continue = true;
  }
  return progress::done;
}

progress request_parser::check_host() noexcept {
  if (!has_host_ && head_.minor_version == 1) return refuse(400, "no Host");
  if (!has_host_) head_.host = authority_;
  if (!head_.host.empty() && !host_bytes.spells(head_.host)) return refuse(400, "a bad Host");
  if (!authority_.empty() && has_host_ && !same_name(authority_, head_.host)) {
    return refuse(400, "the target names another host than Host");
  }
  return progress::done;
}

progress request_parser::finish() {
  if (const progress host = check_host(); host != progress::done) return host;
  if (seen_.chunked && seen_.content_length) return refuse(400, "Transfer-Encoding with Content-Length");
  if (seen_.chunked && head_.minor_version == 0) return refuse(400, "Transfer-Encoding in HTTP/1.0");
  if (seen_.chunked) {
    head_.body = framing::chunked;
  } else if (seen_.content_length.value_or(0) > 0) {
    head_.body = framing::length;
    head_.content_length = *seen_.content_length;
  }
  const bool may_have_body = head_.method != "GET" && head_.method != "HEAD" && head_.method != "TRACE";
  if (head_.body != framing::none && !may_have_body)
    return refuse(400, "a body that the method does not have");
  head_.keep_alive = !seen_.close && (head_.minor_version == 1 || seen_.keep_alive);
  head_.expects_continue &= head_.minor_version == 1 && head_.body != framing::none;
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
