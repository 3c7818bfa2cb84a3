#include "http/h2/request_reader.hpp"

#include "http/chars.hpp"

namespace weft::inline v1::http::detail::h2 {

namespace {

constexpr std::size_t field_overhead = 32;  // as RFC 9113, 6.5.2 counts

bool is_lower(std::string_view name) noexcept {
  for (const char one : name) {
    if (one != to_lower(one)) return false;
  }
  return true;
}

}  // namespace

void request_reader::refuse_for_good(int status, const char* why) noexcept {
  if (!refused_) refuse(status, why);
  refused_ = true;
}

request_reader::place request_reader::keep(std::string_view name, std::string_view value) {
  const place made{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(name.size()),
                   static_cast<std::uint32_t>(value.size())};
  text_.append(name).append(value);
  return made;
}

std::string_view request_reader::name_at(const place& of) const noexcept {
  return std::string_view(text_).substr(of.name_begin, of.name_bytes);
}

std::string_view request_reader::value_at(const place& of) const noexcept {
  return std::string_view(text_).substr(of.name_begin + of.name_bytes, of.value_bytes);
}

void request_reader::add(std::string_view name, std::string_view value) {
  bytes_ += name.size() + value.size() + field_overhead;
  if (refused_) return;
  if (bytes_ > limits_.head_bytes_max) return refuse_for_good(431, "the header is too large");
  if (name.starts_with(':')) return add_pseudo(name, value);
  if (!token_bytes.spells(name) || !is_lower(name)) return refuse_for_good(400, "a bad header name");
  if (!is_field_value(value)) return refuse_for_good(400, "a control byte in a header value");
  if (name == "cookie") {  // RFC 9113, 8.2.3: may come in pieces, and is one field
    cookies_.append(cookies_.empty() ? "" : "; ").append(value);
    return;
  }
  // One more each for what may be added by finish().
  if (places_.size() + 2 > limits_.header_count_max) return refuse_for_good(431, "too many header fields");
  places_.push_back(keep(name, value));
}

void request_reader::add_pseudo(std::string_view name, std::string_view value) {
  const auto take = [&](place& into, bool& has) {
    if (has) return refuse_for_good(400, "a pseudo-header field twice");
    has = true;
    into = keep(name, value);
  };
  if (!places_.empty() || !cookies_.empty())
    return refuse_for_good(400, "a pseudo-header field behind others");
  if (name == ":method") return take(method_, has_method_);
  if (name == ":path") return take(target_, has_target_);
  if (name == ":scheme") return take(scheme_, has_scheme_);
  if (name == ":authority") return take(host_, has_authority_);
  refuse_for_good(400, "an unknown pseudo-header field");
}

progress request_reader::finish(bool ends) {
  if (refused_) return progress::refused;
  head_.method = value_at(method_);
  if (!token_bytes.spells(head_.method)) return refuse(400, "a bad method");
  if (head_.method == "CONNECT") return refuse(501, "CONNECT is not offered");
  if (!has_target_ || !has_scheme_) return refuse(400, "a pseudo-header field is missing");
  const std::string_view scheme = value_at(scheme_);
  if (scheme != "http" && scheme != "https") return refuse(400, "a bad scheme");
  head_.target = value_at(target_);
  if (head_.method.size() + head_.target.size() > limits_.request_line_bytes_max)
    return refuse(414, "the request line is too long");
  if (!target_bytes.spells(head_.target) || (head_.target.front() != '/' && head_.target != "*"))
    return refuse(400, "a bad request target");
  if (const progress target = parse_target(); target != progress::done) return target;
  if (const progress fields = add_kept(); fields != progress::done) return fields;
  return finish_body(ends);
}

/// As HTTP/1 has them: Host and one Cookie are among them.
progress request_reader::add_kept() {
  if (has_authority_) authority_ = value_at(host_);
  place cookie{};
  if (!cookies_.empty()) cookie = keep("cookie", cookies_);
  place host{};
  if (has_authority_) host = keep("host", std::string(value_at(host_)));
  // What was kept last may have moved everything.
  head_.method = value_at(method_);
  head_.target = value_at(target_);
  if (const progress target = parse_target(); target != progress::done) return target;
  if (has_authority_) authority_ = value_at(host_);
  const auto add_one = [&](const place& at) {
    const progress added = add_field(header{name_at(at), value_at(at)}, head_);
    return added == progress::done ? note_field() : added;
  };
  for (const place& one : places_) {
    if (const progress added = add_one(one); added != progress::done) return added;
  }
  if (!cookies_.empty()) {
    if (const progress added = add_one(cookie); added != progress::done) return added;
  }
  if (has_authority_ && !has_host_) return add_one(host);
  return progress::done;
}

progress request_reader::finish_body(bool ends) noexcept {
  if (seen_.chunked || seen_.close || seen_.keep_alive)
    return refuse(400, "a field that HTTP/2 does not have");
  if (ends && seen_.content_length.value_or(0) > 0) return refuse(400, "a Content-Length without a body");
  const bool may_have_body = head_.method != "GET" && head_.method != "HEAD" && head_.method != "TRACE";
  if (!ends && !seen_.content_length && may_have_body) seen_.chunked = true;  // its end is told apart
  return request_rules::finish();
}

}  // namespace weft::inline v1::http::detail::h2
