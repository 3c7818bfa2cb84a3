#include <algorithm>

#include "http/chars.hpp"
#include "http/head_parser.hpp"

namespace weft::inline v1::http::detail {

void request_rules::restart() noexcept {
  head_parser::restart();
  head_.fields.clear();
  std::vector<header> kept = std::move(head_.fields);
  head_ = {};
  head_.fields = std::move(kept);
  authority_ = {};
  has_host_ = false;
}

progress request_rules::parse_target() noexcept {
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

progress request_rules::note_field() noexcept {
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

progress request_rules::check_host() noexcept {
  if (!has_host_ && head_.minor_version == 1) return refuse(400, "no Host");
  if (!has_host_) head_.host = authority_;
  if (!head_.host.empty() && !host_bytes.spells(head_.host)) return refuse(400, "a bad Host");
  if (!authority_.empty() && has_host_ && !same_name(authority_, head_.host)) {
    return refuse(400, "the target names another host than Host");
  }
  return progress::done;
}

progress request_rules::finish() noexcept {
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

}  // namespace weft::inline v1::http::detail
