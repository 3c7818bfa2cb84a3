#include "http/request_head.hpp"

#include <chrono>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/http/header.hpp>
#include <weft/http/request.hpp>
#include <weft/trace/propagation.hpp>

#include "http/chars.hpp"
#include "http/chunk_decoder.hpp"
#include "http/proxy.hpp"

namespace weft::inline v1::http::detail {

namespace {

void append_field(std::string& head, std::string_view name, std::string_view value) {
  if (!token_bytes.spells(name) || !is_field_value(value)) {
    throw error(errc::invalid_argument,
                "header " + std::string(name) + " has a byte that no header may have");
  }
  for (const std::string_view own : {"Host", "Content-Length", "Transfer-Encoding", "Connection"}) {
    if (same_name(name, own))
      throw error(errc::invalid_argument, "header " + std::string(name) + " is set by the client itself");
  }
  head.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string make_trailers(const request_options& options) {
  std::string made;
  if (!options.trailers) return made;
  for (const auto& [name, value] : options.trailers()) {
    if (!may_be_trailer(name)) throw error(errc::invalid_argument, "http: " + name + " cannot be a trailer");
    append_field(made, name, value);
  }
  return made;
}

std::string make_request_head(std::string_view method, std::string_view target, std::string_view host,
                              std::optional<std::size_t> body_bytes, const request_options& options,
                              const proxy* by, bool takes_compressed) {
  if (!token_bytes.spells(method)) throw error(errc::invalid_argument, "the method is no word");
  if (!target_bytes.spells(target) || (target.front() != '/' && target != "*")) {
    throw error(errc::invalid_argument, "the target must begin with '/' and be percent-encoded");
  }
  std::string head;
  head.reserve(256);
  head.append(method).append(" ");
  if (by != nullptr) head.append("http://").append(host);
  head.append(target).append(" HTTP/1.1\r\nHost: ").append(host).append("\r\n");
  if (by != nullptr && !by->authorization.empty())
    append_field(head, "Proxy-Authorization", by->authorization);
  if (!body_bytes) {
    head.append("Transfer-Encoding: chunked\r\n");
  } else if (*body_bytes > 0 || method == "POST" || method == "PUT" || method == "PATCH") {
    head.append("Content-Length: ").append(std::to_string(*body_bytes)).append("\r\n");
  }
  if (takes_compressed) head.append("Accept-Encoding: gzip, deflate\r\n");
  if (options.takes_trailers) head.append("TE: trailers\r\nConnection: TE\r\n");
  if (!options.content_type.empty()) append_field(head, "Content-Type", options.content_type);
  bool has_id = false;
  bool has_timeout = false;
  for (const auto& [name, value] : options.headers) {
    append_field(head, name, value);
    has_id = has_id || same_name(name, "X-Request-Id");
    has_timeout = has_timeout || same_name(name, request_timeout_header);
  }
  const std::string* const id = request_id.find();
  if (id != nullptr && !has_id) append_field(head, "X-Request-Id", *id);
  if (const auto left = remaining(); left && !has_timeout) {
    // Not less: else the answer that the server was too late might come before the own end.
    const auto time = std::chrono::ceil<std::chrono::milliseconds>(*left);
    append_field(head, request_timeout_header, std::to_string(time.count()));
  }
  if (options.sends_trace) {
    for (const trace::header& one : trace::to_headers()) append_field(head, one.name, one.value);
  }
  return head.append("\r\n");
}

}  // namespace weft::inline v1::http::detail
