#include "http/head_parser.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weft::http::detail {
namespace {

using namespace std::string_literals;

constexpr limits small{
    .request_line_bytes_max = 64, .head_bytes_max = 256, .header_count_max = 4, .body_bytes_max = 1000};

struct bad_request {
  const char* name;
  std::string bytes;
  int status = 400;
};

// Each is refused: two programs could read it in two ways, or it is over a limit.
const bad_request bad_requests[] = {
    {"length_with_chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"chunked_with_length",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"},
    {"two_differing_lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"},
    {"two_equal_lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"},
    {"length_with_plus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n"},
    {"length_with_minus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n"},
    {"length_in_hexadecimal", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n"},
    {"length_as_a_list", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n"},
    {"length_with_a_space_inside", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\n"},
    {"length_with_a_fraction", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5.0\r\n\r\n"},
    {"length_empty", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"},
    {"length_with_too_many_zeros",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0000000000000000005\r\n\r\n"},
    {"length_that_overflows", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\n"},
    {"encoding_xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"},
    {"encoding_chunked_then_identity",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n"},
    {"encoding_gzip_then_chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"},
    {"encoding_identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"},
    {"encoding_empty", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n"},
    {"encoding_twice",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"encoding_in_quotes", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n"},
    {"encoding_with_vertical_tab", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\vchunked\r\n\r\n"},
    {"encoding_in_http_1_0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"space_before_colon", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\n"},
    {"tab_before_colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n"},
    {"space_before_name", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
    {"folded_header", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"},
    {"folded_with_tab", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n"},
    {"empty_name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"},
    {"no_colon", "GET / HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n"},
    {"name_in_brackets", "GET / HTTP/1.1\r\nHost: a\r\n(x): b\r\n\r\n"},
    {"name_beyond_ascii", "GET / HTTP/1.1\r\nHost: a\r\nx\xc3\xa4: b\r\n\r\n"},
    {"name_with_nul", "GET / HTTP/1.1\r\nHost: a\r\nx\0y: b\r\n\r\n"s},
    {"value_with_nul", "GET / HTTP/1.1\r\nHost: a\r\nx: b\0c\r\n\r\n"s},
    {"value_with_bare_cr", "GET / HTTP/1.1\r\nHost: a\r\nx: b\rc\r\n\r\n"},
    {"value_with_delete", "GET / HTTP/1.1\r\nHost: a\r\nx: b\x7f long enough for words\r\n\r\n"},
    {"value_with_escape", "GET / HTTP/1.1\r\nHost: a\r\nx: more than eight \x1b bytes\r\n\r\n"},
    {"bare_lf_after_request_line", "GET / HTTP/1.1\nHost: a\r\n\r\n"},
    {"bare_lf_after_header", "GET / HTTP/1.1\r\nHost: a\nx: b\r\n\r\n"},
    {"bare_lf_at_the_end", "GET / HTTP/1.1\r\nHost: a\r\n\n"},
    {"only_lf", "\n"},
    {"two_empty_lines_in_front", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"cr_inside_request_line", "GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"nul_in_target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s},
    {"no_host", "GET / HTTP/1.1\r\n\r\n"},
    {"two_hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
    {"two_equal_hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
    {"host_with_path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
    {"host_with_user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"},
    {"host_with_comma", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"},
    {"host_with_space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
    {"absolute_form_with_another_host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"absolute_form_with_user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"absolute_form_without_host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"absolute_form_of_another_scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"body_on_get", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"},
    {"chunked_body_on_get", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"body_on_head", "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"},
    {"no_version", "GET /\r\nHost: a\r\n\r\n"},
    {"empty_version", "GET / \r\nHost: a\r\n\r\n"},
    {"small_letters_in_version", "GET / http/1.1\r\nHost: a\r\n\r\n"},
    {"long_version", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"},
    {"words_after_version", "GET / HTTP/1.1 x\r\nHost: a\r\n\r\n"},
    {"two_spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"space_in_front", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"tab_between", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n"},
    {"method_with_colon", "GET: / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"target_beyond_ascii", "GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"target_with_fragment", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"target_without_slash", "GET x HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"star_with_get", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"tls_on_a_plain_port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s},
    {"http_2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"http_2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
    {"http_0_9_with_version", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
    {"http_1_2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
    {"connect", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501},
    {"unknown_expectation", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 5\r\n\r\n", 417},
    {"long_target", "GET /" + std::string(200, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
    {"endless_target", "GET /" + std::string(100, 'x'), 414},
    {"long_header", "GET / HTTP/1.1\r\nHost: a\r\nx: " + std::string(400, 'x') + "\r\n\r\n", 431},
    {"endless_header", "GET / HTTP/1.1\r\nHost: a\r\nx: " + std::string(400, 'x'), 431},
    {"many_headers", "GET / HTTP/1.1\r\nHost: a\r\na: 1\r\nb: 1\r\nc: 1\r\nd: 1\r\n\r\n", 431},
};

class refused_request : public testing::TestWithParam<bad_request> {};

TEST_P(refused_request, whole) {
  request_parser parser{small};
  ASSERT_EQ(parser.advance(GetParam().bytes), progress::refused);
  EXPECT_EQ(parser.why_refused().status, GetParam().status) << parser.why_refused().why;
}

TEST_P(refused_request, byte_by_byte) {
  request_parser parser{small};
  const std::string& bytes = GetParam().bytes;
  progress how = progress::more;
  for (std::size_t size = 1; size <= bytes.size() && how == progress::more; ++size) {
    how = parser.advance(std::string_view(bytes).substr(0, size));
  }
  ASSERT_EQ(how, progress::refused);
  EXPECT_EQ(parser.why_refused().status, GetParam().status) << parser.why_refused().why;
}

INSTANTIATE_TEST_SUITE_P(table, refused_request, testing::ValuesIn(bad_requests),
                         [](const auto& one) { return std::string(one.param.name); });

constexpr std::string_view usual =
    "POST /users/7?x=1&y HTTP/1.1\r\n"
    "Host: example.org:8080\r\n"
    "Content-Type:text/plain\r\n"
    "X-Empty:\r\n"
    "X-Spaces: \t a b \t\r\n"
    "content-length: 005\r\n"
    "\r\n";

void expect_usual(const request_head& head) {
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.path, "/users/7");
  EXPECT_EQ(head.query, "x=1&y");
  EXPECT_EQ(head.host, "example.org:8080");
  EXPECT_EQ(head.body, framing::length);
  EXPECT_EQ(head.content_length, 5u);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(head.fields.size(), 5u);
  EXPECT_EQ(find_header(head.fields, "CONTENT-TYPE"), "text/plain");
  EXPECT_EQ(find_header(head.fields, "x-empty"), "");
  EXPECT_EQ(find_header(head.fields, "x-spaces"), "a b");
  EXPECT_EQ(find_header(head.fields, "x-none"), std::nullopt);
}

TEST(request_parser, reads_a_request_at_once) {
  request_parser parser{limits{}};
  ASSERT_EQ(parser.advance(usual), progress::done);
  EXPECT_EQ(parser.head_bytes(), usual.size());
  expect_usual(parser.head());
}

TEST(request_parser, reads_a_request_cut_at_any_byte) {
  for (std::size_t cut = 0; cut < usual.size(); ++cut) {
    request_parser parser{limits{}};
    ASSERT_EQ(parser.advance(usual.substr(0, cut)), progress::more) << cut;
    ASSERT_EQ(parser.advance(usual), progress::done) << cut;
    expect_usual(parser.head());
  }
}

TEST(request_parser, follows_a_buffer_that_moves) {
  request_parser parser{limits{}};
  std::string first(usual.substr(0, 60));
  ASSERT_EQ(parser.advance(first), progress::more);
  const std::string second(usual);
  parser.rebase(first.data(), second.data());
  first.assign(first.size(), '!');
  ASSERT_EQ(parser.advance(second), progress::done);
  expect_usual(parser.head());
}

TEST(request_parser, stops_before_the_next_request) {
  request_parser parser{limits{}};
  const std::string two = std::string(usual) + "GET / HTTP/1.1\n";
  ASSERT_EQ(parser.advance(two), progress::done);
  EXPECT_EQ(parser.head_bytes(), usual.size());
}

TEST(request_parser, forgets_the_last_request) {
  request_parser parser{limits{}};
  ASSERT_EQ(parser.advance(usual), progress::done);
  parser.restart();
  ASSERT_EQ(parser.advance("GET / HTTP/1.1\r\nHost: b\r\n\r\n"), progress::done);
  EXPECT_EQ(parser.head().fields.size(), 1u);
  EXPECT_EQ(parser.head().body, framing::none);
  EXPECT_EQ(parser.head().query, "");
}

TEST(request_parser, lets_one_empty_line_in_front_pass) {
  request_parser parser{limits{}};
  EXPECT_EQ(parser.advance("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), progress::done);
}

TEST(request_parser, accepts_bytes_beyond_ascii_in_values) {
  request_parser parser{limits{}};
  EXPECT_EQ(parser.advance("GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa4 and a\ttab, long enough\r\n\r\n"),
            progress::done);
}

struct good_request {
  const char* bytes;
  bool keep_alive;
  framing body;
  const char* path;
};

TEST(request_parser, knows_how_the_connection_goes_on) {
  const good_request table[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true, framing::none, "/"},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", true, framing::none, "/"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false, framing::none, "/"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", false, framing::none, "/"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true, framing::none, "/"},
      {"GET / HTTP/1.0\r\n\r\n", false, framing::none, "/"},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, framing::none, "/"},
      {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false, framing::none, "/"},
      {"GET http://A:80?x HTTP/1.1\r\nHost: a:80\r\n\r\n", true, framing::none, "/"},
      {"GET HTTPS://a/x HTTP/1.1\r\nHost: a\r\n\r\n", true, framing::none, "/x"},
      {"GET HTTP://a/b HTTP/1.1\r\nHost: a\r\n\r\n", true, framing::none, "/b"},
      {"GET //b HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", true, framing::none, "//b"},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", true, framing::none, "*"},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", true, framing::none, "/"},
      {"POST / HTTP/1.1\r\nHost: a\r\n\r\n", true, framing::none, "/"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", true, framing::chunked, "/"},
      {"DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", true, framing::length, "/"},
  };
  for (const good_request& one : table) {
    request_parser parser{limits{}};
    ASSERT_EQ(parser.advance(one.bytes), progress::done) << one.bytes << parser.why_refused().why;
    EXPECT_EQ(parser.head().keep_alive, one.keep_alive) << one.bytes;
    EXPECT_EQ(parser.head().body, one.body) << one.bytes;
    EXPECT_EQ(parser.head().path, one.path) << one.bytes;
  }
}

TEST(request_parser, expects_continue_only_where_a_body_follows) {
  request_parser parser{limits{}};
  ASSERT_EQ(parser.advance("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n"),
            progress::done);
  EXPECT_TRUE(parser.head().expects_continue);
  parser.restart();
  ASSERT_EQ(parser.advance("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"), progress::done);
  EXPECT_FALSE(parser.head().expects_continue);
}

}  // namespace
}  // namespace weft::http::detail
