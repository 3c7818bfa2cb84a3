#include <weft/http/response.hpp>

#include <weft/core/error.hpp>
#include <weft/http/header.hpp>
#include <weft/net/files.hpp>

#include "http/chars.hpp"
#include "http/chunk_decoder.hpp"
#include "http/response_access.hpp"

namespace weft::inline v1::http {

namespace {

constexpr std::string_view plain_text = "text/plain; charset=utf-8";

/// Where the first line of that name begins; npos without one.
std::size_t find_line(std::string_view lines, std::string_view name) noexcept {
  std::size_t begin = 0;
  while (begin < lines.size()) {
    if (lines.size() > begin + name.size() && lines[begin + name.size()] == ':' &&
        same_name(lines.substr(begin, name.size()), name)) {
      return begin;
    }
    begin = lines.find('\n', begin) + 1;
  }
  return std::string_view::npos;
}

void check_field(std::string_view name, std::string_view value) {
  if (!detail::token_bytes.spells(name)) {
    throw error(errc::invalid_argument, "http: \"" + std::string(name) + "\" is no header name");
  }
  if (!detail::is_field_value(value)) {
    throw error(errc::invalid_argument,
                "http: the value of header " + std::string(name) + " has a control byte");
  }
  for (const std::string_view own : {"Content-Length", "Transfer-Encoding", "Connection", "Date"}) {
    if (same_name(name, own)) {
      throw error(errc::invalid_argument,
                  "http: header " + std::string(own) + " is set by the server itself");
    }
  }
}

}  // namespace

std::optional<std::string_view> detail::find_field(std::string_view lines, std::string_view name) noexcept {
  const std::size_t begin = find_line(lines, name);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t value = begin + name.size() + 1;
  return trim_blanks(lines.substr(value, lines.find('\r', value) - value));
}

void detail::response_access::add_fields(std::string& lines, std::string&& more) {
  std::string kept;
  for (std::string_view left = lines; !left.empty();) {
    const std::string_view line = left.substr(0, left.find('\n') + 1);
    const std::string_view name = line.substr(0, line.find(':'));
    if (same_name(name, "Set-Cookie") || !find_field(more, name)) kept.append(line);
    left.remove_prefix(line.size());
  }
  lines = kept.empty() ? std::move(more) : kept.append(more);
}

response::response(int status, std::string_view text) {
  this->status(status);
  if (!text.empty()) content_type(plain_text).body(text);
}

response response::text(std::string_view body, int status) {
  response made(status);
  made.content_type(plain_text).body(body);
  return made;
}

response response::json(std::string_view document, int status) {
  response made(status);
  made.content_type("application/json").body(document);
  return made;
}

response& response::status(int code) {
  if (code < 200 || code > 599) {
    throw error(errc::invalid_argument,
                "http: " + std::to_string(code) + " is no status of a response (200 to 599)");
  }
  status_ = code;
  touched_ = true;
  return *this;
}

std::optional<std::string_view> response::header(std::string_view name) const noexcept {
  return detail::find_field(fields_, name);
}

response& response::header(std::string_view name, std::string_view value) {
  check_field(name, value);
  for (std::size_t begin; (begin = find_line(fields_, name)) != std::string::npos;) {
    fields_.erase(begin, fields_.find('\n', begin) + 1 - begin);
  }
  return add_header(name, value);
}

response& response::add_header(std::string_view name, std::string_view value) {
  check_field(name, value);
  fields_.append(name).append(": ").append(value).append("\r\n");
  touched_ = true;
  return *this;
}

response& response::body(std::string_view bytes) {
  body_.assign(bytes);
  touched_ = true;
  return *this;
}

response& response::body(std::string&& bytes) {
  body_ = std::move(bytes);
  touched_ = true;
  return *this;
}

response& response::trailer(std::string_view name, std::string_view value) {
  check_field(name, value);
  if (!detail::may_be_trailer(name))
    throw error(errc::invalid_argument, "http: " + std::string(name) + " cannot be a trailer");
  trailers_.append(name).append(": ").append(value).append("\r\n");
  touched_ = true;
  return *this;
}

std::optional<std::string_view> response::trailer(std::string_view name) const noexcept {
  return detail::find_field(trailers_, name);
}

response& response::length(std::uint64_t bytes) {
  if (streaming_) throw error(errc::misuse, "http: length: the body is on its way already");
  length_ = bytes;
  touched_ = true;
  return *this;
}

bool response::send_file(files::file& from, std::uint64_t offset, std::uint64_t bytes) {
  touched_ = true;
  if (sink_ != nullptr) return sink_->write_file(*this, from, offset, bytes);
  const std::string read = from.read_at(offset, bytes);
  body_.append(read);
  return read.size() == bytes;
}

bool body_filter::begin(response& /*head*/) { return true; }
void body_filter::end(std::string& /*out*/) {}

void response::filter(std::unique_ptr<body_filter> filter) {
  if (streaming_) throw error(errc::misuse, "http: filter: the body is on its way already");
  if (sink_ != nullptr) sink_->add_filter(std::move(filter));
}

void response::write(std::string_view piece) {
  touched_ = true;
  if (sink_ == nullptr) {
    body_.append(piece);
  } else {
    sink_->write_piece(*this, piece);
  }
}

}  // namespace weft::inline v1::http
