#include "http/head_parser.hpp"

#include <gtest/gtest.h>

namespace weft::http::detail {
namespace {

struct good_response {
  const char* method;
  const char* bytes;
  int status;
  framing body;
  bool keep_alive;
};

TEST(response_parser, finds_how_the_body_ends) {
  const good_response table[] = {
      {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, framing::length, true},
      {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, framing::none, true},
      {"GET", "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", 200, framing::chunked, true},
      {"GET", "HTTP/1.1 200 \r\n\r\n", 200, framing::until_close, false},
      {"GET", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", 200, framing::length, false},
      {"GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n", 200, framing::length,
       false},
      {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, framing::none, true},
      {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, framing::none, true},
      {"GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, framing::none, true},
      {"GET", "HTTP/1.1 100 Continue\r\n\r\n", 100, framing::none, true},
  };
  for (const good_response& one : table) {
    response_parser parser{limits{}};
    parser.restart(one.method);
    ASSERT_EQ(parser.advance(one.bytes), progress::done) << one.bytes;
    EXPECT_EQ(parser.head().status, one.status) << one.bytes;
    EXPECT_EQ(parser.head().body, one.body) << one.bytes;
    EXPECT_EQ(parser.head().keep_alive, one.keep_alive) << one.bytes;
  }
}

TEST(response_parser, refuses_what_is_no_clear_response) {
  for (const char* const bytes :
       {"HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 099 x\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1 200 OK\n\n",
        "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "HTTP/1.1 200 OK\r\n folded\r\n\r\n"}) {
    response_parser parser{limits{}};
    parser.restart("GET");
    EXPECT_EQ(parser.advance(bytes), progress::refused) << bytes;
  }
}

}  // namespace
}  // namespace weft::http::detail
