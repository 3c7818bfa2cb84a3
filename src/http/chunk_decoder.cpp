#include "http/chunk_decoder.hpp"

#include <algorithm>
#include <cstring>

#include "http/chars.hpp"

namespace weft::inline v1::http::detail {

namespace {

constexpr std::size_t size_line_bytes_max = 256;
constexpr std::size_t overhead_bytes_max = 16 * 1024;

/// Takes what `text` begins with off: a token or, with `or_quoted`, a quoted string; false where it does not.
bool take_word(std::string_view& text, bool or_quoted) noexcept {
  std::size_t end = 0;
  if (or_quoted && text.starts_with('"')) {
    for (end = 1; end < text.size() && text[end] != '"'; ++end) end += text[end] == '\\' ? 1 : 0;
    if (++end > text.size()) return false;
  } else {
    while (end < text.size() && token_bytes.has(text[end])) ++end;
  }
  text.remove_prefix(end);
  return end > 0;
}

/// *( ";" name [ "=" value ] ) and no spaces (RFC 9112, 7.1.1).
bool are_extensions(std::string_view text) noexcept {
  if (!is_field_value(text)) return false;
  while (!text.empty()) {
    if (text.front() != ';') return false;
    text.remove_prefix(1);
    if (!take_word(text, false)) return false;
    if (!text.starts_with('=')) continue;
    text.remove_prefix(1);
    if (!take_word(text, true)) return false;
  }
  return true;
}

}  // namespace

bool may_be_trailer(std::string_view name) noexcept {
  // Framing and routing, what the request asks for, who asks, what the answer is, how the body is read.
  for (const std::string_view one : {"transfer-encoding",
                                     "content-length",
                                     "host",
                                     "connection",
                                     "keep-alive",
                                     "proxy-connection",
                                     "upgrade",
                                     "trailer",
                                     "te",
                                     "expect",
                                     "cache-control",
                                     "pragma",
                                     "max-forwards",
                                     "range",
                                     "authorization",
                                     "proxy-authorization",
                                     "authentication-info",
                                     "proxy-authentication-info",
                                     "cookie",
                                     "set-cookie",
                                     "www-authenticate",
                                     "proxy-authenticate",
                                     "age",
                                     "date",
                                     "expires",
                                     "location",
                                     "retry-after",
                                     "vary",
                                     "warning",
                                     "content-encoding",
                                     "content-type",
                                     "content-range"}) {
    if (same_name(name, one)) return false;
  }
  return !same_name(name.substr(0, 3), "if-");  // conditions
}

void chunk_decoder::restart(std::size_t body_bytes_max) noexcept {
  limits bounds = limits_;
  bounds.body_bytes_max = body_bytes_max;
  *this = chunk_decoder(bounds);
}

progress chunk_decoder::refuse(int status, const char* why) noexcept {
  refusal_ = {status, why};
  return progress::refused;
}

chunk_decoder::step chunk_decoder::advance(std::string_view raw, char* out) {
  step so_far{progress::more, 0, 0};
  do {
    so_far.how = advance_once(raw.substr(so_far.consumed), out + so_far.written, so_far);
  } while (so_far.how == progress::done && part_ != part::end);
  return so_far;
}

progress chunk_decoder::advance_once(std::string_view raw, char* out, step& so_far) {
  if (part_ == part::end) return progress::done;
  if (part_ == part::data) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, raw.size()));
    if (count > 0 && out != raw.data()) std::memmove(out, raw.data(), count);
    so_far.consumed += count;
    so_far.written += count;
    chunk_left_ -= count;
    if (chunk_left_ > 0) return progress::more;
    part_ = part::data_end;
    return progress::done;
  }
  if (part_ == part::data_end) {
    if (!raw.empty() && raw[0] != '\r') return refuse(400, "a chunk that does not end where it says");
    if (raw.size() < 2) return progress::more;
    if (raw[1] != '\n') return refuse(400, "a chunk that does not end where it says");
    so_far.consumed += 2;
    part_ = part::size;
    return progress::done;
  }
  std::string_view line;
  const progress cut = take_line(raw, line, so_far.consumed);
  if (cut != progress::done) return cut;
  return part_ == part::size ? parse_size(line) : take_trailer(line);
}

progress chunk_decoder::take_line(std::string_view raw, std::string_view& line,
                                  std::size_t& consumed) noexcept {
  const bool is_size = part_ == part::size;
  const std::size_t feed = raw.find('\n');
  if (std::min(feed, raw.size()) > (is_size ? size_line_bytes_max : overhead_bytes_max))
    return is_size ? refuse(400, "a chunk line is too long") : refuse(431, "a trailer is too long");
  if (feed == std::string_view::npos) return progress::more;
  if (feed == 0 || raw[feed - 1] != '\r') return refuse(400, "a chunk line ends without CR");
  line = raw.substr(0, feed - 1);
  consumed += feed + 1;
  return progress::done;
}

progress chunk_decoder::parse_size(std::string_view line) noexcept {
  const std::size_t semicolon = line.find(';');
  const std::string_view digits = line.substr(0, semicolon);
  if (digits.empty() || digits.size() > 15) return refuse(400, "a bad chunk size");
  std::uint64_t size = 0;
  for (const char digit : digits) {
    const int value = hex_value(digit);
    if (value < 0) return refuse(400, "a bad chunk size");
    size = size * 16 + static_cast<std::uint64_t>(value);
  }
  if (semicolon != std::string_view::npos) {
    if (!are_extensions(line.substr(semicolon))) return refuse(400, "a bad chunk extension");
    overhead_bytes_ += line.size() - semicolon;
    if (overhead_bytes_ > overhead_bytes_max) return refuse(400, "too many chunk extensions");
  }
  if (size > limits_.body_bytes_max - body_bytes_) return refuse(413, "the body is too large");
  body_bytes_ += size;
  chunk_left_ = size;
  part_ = size == 0 ? part::trailer : part::data;
  return progress::done;
}

progress chunk_decoder::take_trailer(std::string_view line) {
  if (line.empty()) {
    part_ = part::end;
    return progress::done;
  }
  header field;
  if (const char* const why = cut_field(line, field)) return refuse(400, why);
  if (!may_be_trailer(field.name)) return refuse(400, "a trailer that only a header may have");
  overhead_bytes_ += line.size();
  const std::size_t bytes_max = std::min(overhead_bytes_max, limits_.head_bytes_max);
  if (++trailer_count_ > limits_.header_count_max || overhead_bytes_ > bytes_max) {
    return refuse(431, "too many trailers");
  }
  trailers_.append(field.name).append(": ").append(field.value).append("\r\n");
  return progress::done;
}

}  // namespace weft::inline v1::http::detail
