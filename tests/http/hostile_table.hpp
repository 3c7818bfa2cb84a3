#pragma once

#include <string>
#include <utility>
#include <vector>

namespace weft::inline v1::http {

/// A request that must not be served, and the status that refuses it.
struct hostile {
  std::string name;
  std::string bytes;
  int status = 400;
};

/// What RFC 9112 forbids, and what makes two servers disagree about where a request ends.
class hostile_table {
 public:
  hostile_table();
  std::vector<hostile> all;

  void add(std::string name, std::string bytes, int status = 400) {
    all.push_back({std::move(name), std::move(bytes), status});
  }
  /// A request line, with all the rest as it should be.
  void line(const std::string& name, const std::string& text, int status = 400) {
    add("line: " + name, text + "\r\nHost: a\r\n\r\n", status);
  }
  /// Header lines behind "Host: a", each with its end.
  void fields(const std::string& name, const std::string& text, int status = 400) {
    add("fields: " + name, "GET /x HTTP/1.1\r\nHost: a\r\n" + text + "\r\n", status);
  }
  void host(const std::string& name, const std::string& lines) {
    add("host: " + name, "GET /x HTTP/1.1\r\n" + lines + "\r\n");
  }
  /// Header lines that say where the body ends, and a body that would be read by some.
  void framing(const std::string& name, const std::string& text, const std::string& version = "1.1") {
    add("framing: " + name, "POST /x HTTP/" + version + "\r\nHost: a\r\n" + text + "\r\n0\r\n\r\n");
  }
  void length(const std::string& value) {
    framing("length \"" + value + '"', "Content-Length: " + value + "\r\n");
  }
  void coding(const std::string& value) {
    framing("coding \"" + value + '"', "Transfer-Encoding: " + value + "\r\n");
  }
  void chunked(const std::string& name, const std::string& body, int status = 400) {
    add("chunks: " + name, "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body,
        status);
  }
  void size(const std::string& text, int status = 400) {
    chunked("size \"" + text + '"', text + "\r\nhello\r\n0\r\n\r\n", status);
  }
  void trailer(const std::string& name, const std::string& lines, int status = 400) {
    chunked("trailer " + name, "0\r\n" + lines + "\r\n", status);
  }
};

}  // namespace weft::inline v1::http
