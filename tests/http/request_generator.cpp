#include "http/request_generator.hpp"

#include <cstdio>
#include <string_view>
#include <vector>

namespace weft::inline v1::http {
namespace {

using namespace std::string_view_literals;

/// What frames a message, or seems to.
constexpr const char* framing_lines[] = {"Content-Length: 5\r\n",
                                         "Content-Length: 0\r\n",
                                         "content-length:5 \r\n",
                                         "Content-Length: 05\r\n",
                                         "Content-Length: +5\r\n",
                                         "Content-Length: 5, 5\r\n",
                                         "Content-Length : 5\r\n",
                                         "Content-Length: 18446744073709551621\r\n",
                                         "Content_Length: 5\r\n",
                                         "Transfer-Encoding: chunked\r\n",
                                         "transfer-encoding:CHUNKED\r\n",
                                         "Transfer-Encoding: gzip, chunked\r\n",
                                         "Transfer-Encoding: chunked, identity\r\n",
                                         "Transfer-Encoding: identity\r\n",
                                         "Transfer-Encoding : chunked\r\n",
                                         "Transfer-Encoding:\r\n chunked\r\n",
                                         "Transfer-Encoding: xchunked\r\n",
                                         "X: y\nTransfer-Encoding: chunked\r\n",
                                         "Host: b\r\n",
                                         "Connection: close\r\n",
                                         "Connection: keep-alive, x\r\n",
                                         " folded\r\n"};
/// Bytes that mean something to parsers.
constexpr std::string_view telling = "\r\n\0\t :;,=\"\\/?#%@()0159afxX+-_\x0b\x0c\x7f\x80\xff"sv;

std::string hex(std::size_t number) {
  char text[20];
  std::snprintf(text, sizeof text, "%zx", number);
  return text;
}

}  // namespace

std::string request_generator::some_text(std::size_t length_max) {
  std::string text;
  for (std::size_t left = below(length_max + 1); left > 0; --left) text += static_cast<char>('!' + below(94));
  return text;
}

std::string request_generator::a_target(const std::string& method) {
  if (method == "OPTIONS" && one_in(2)) return "*";
  constexpr std::string_view path_bytes = "abcXYZ019-._~!$&'()*+,;=:@%/";
  std::string target = one_in(6) ? "http://a/" : "/";
  for (std::size_t left = below(12); left > 0; --left) target += path_bytes[below(path_bytes.size())];
  if (one_in(3)) target += "?x=" + std::to_string(below(1000)) + "&/?";
  return target;
}

std::string request_generator::a_value() {
  std::string value;
  for (std::size_t words = below(4); words > 0; --words) {
    value += some_text(8) + (one_in(3) ? "\t" : " ");
    if (one_in(8)) value += static_cast<char>(0x80 + below(128));
  }
  return value;
}

std::string request_generator::a_chunked_body() {
  std::string body;
  for (std::size_t chunks = below(4); chunks > 0; --chunks) {
    const std::string data = some_text(30) + "x";
    body += (one_in(4) ? "0" : "") + hex(data.size()) + (one_in(5) ? ";a=b" : "") + "\r\n" + data + "\r\n";
  }
  body += one_in(4) ? "00\r\n" : "0\r\n";
  if (one_in(4)) body += "X-Trailer: " + some_text(10) + "\r\n";
  return body + "\r\n";
}

std::string request_generator::a_request() {
  const std::vector<std::string> methods{"GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH"};
  const std::string method = methods[below(methods.size())];
  std::string bytes = method + ' ' + a_target(method) + (one_in(8) ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  const auto add_fields = [&] {
    for (std::size_t fields = below(4); fields > 0; --fields)
      bytes += "X-" + std::to_string(below(9)) + ':' + (one_in(3) ? "" : " ") + a_value() + "\r\n";
  };
  add_fields();
  bytes += "Host: a\r\n";
  if (one_in(5)) bytes += framing_lines[below(std::size(framing_lines))];
  const std::string text = some_text(60);
  if (one_in(2) || method == "GET" || method == "HEAD") {
    add_fields();
    return bytes + "\r\n";
  }
  if (one_in(2)) {
    bytes += "Content-Length: " + std::to_string(text.size()) + "\r\n";
    add_fields();
    return bytes + "\r\n" + text;
  }
  bytes += "Transfer-Encoding: chunked\r\n";
  add_fields();
  return bytes + "\r\n" + a_chunked_body();
}

void request_generator::change(std::string& bytes) {
  const std::size_t at = below(bytes.size());
  switch (below(6)) {
    case 0:
      bytes[at] = telling[below(telling.size())];
      break;
    case 1:
      bytes.insert(at, 1, telling[below(telling.size())]);
      break;
    case 2:
      bytes.erase(at, 1);
      break;
    case 3: {  // an end of a line that is none, or only half of one
      const std::size_t end = bytes.find("\r\n", at);
      if (end != std::string::npos) bytes.replace(end, 2, one_in(2) ? "\n" : "\r");
      break;
    }
    case 4: {  // one more line
      const std::size_t end = bytes.find("\r\n", at);
      if (end != std::string::npos) bytes.insert(end + 2, framing_lines[below(std::size(framing_lines))]);
      break;
    }
    default:
      bytes.insert(at, bytes.substr(below(bytes.size()), below(20)));
      break;
  }
}

std::string request_generator::make() {
  std::string bytes;
  for (std::size_t requests = 1 + below(3); requests > 0; --requests) bytes += a_request();
  for (std::size_t changes = below(4); changes > 0; --changes) change(bytes);
  return bytes;
}

}  // namespace weft::inline v1::http
