#include "http/chunk_decoder.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weft::http::detail {
namespace {

constexpr limits small{.header_count_max = 2, .body_bytes_max = 1000};

struct outcome {
  progress how = progress::more;
  int status = 0;
  std::string body;
  std::size_t rest = 0;
};

/// Feeds `bytes` in pieces of `piece`, decoding in place as the server does.
outcome decode(std::string_view bytes, std::size_t piece) {
  chunk_decoder decoder{small};
  outcome so_far;
  std::string buffer;
  std::size_t fed = 0;
  while (so_far.how == progress::more && fed < bytes.size()) {
    const std::string_view next = bytes.substr(fed, piece);
    buffer += next;
    fed += next.size();
    const chunk_decoder::step step = decoder.advance(buffer, buffer.data());
    so_far.how = step.how;
    so_far.body.append(buffer, 0, step.written);
    buffer.erase(0, step.consumed);
  }
  so_far.status = decoder.why_refused().status;
  so_far.rest = buffer.size() + bytes.size() - fed;
  return so_far;
}

TEST(chunk_decoder, decodes_in_pieces_of_any_size) {
  const std::string bytes =
      "5\r\nhello\r\n00c;name=\"value\"\r\n, world and \r\n4\r\nmore\r\n0\r\nX-Sum: 1\r\n\r\nGET /";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const outcome got = decode(bytes, piece);
    ASSERT_EQ(got.how, progress::done) << piece;
    EXPECT_EQ(got.body, "hello, world and more") << piece;
    EXPECT_EQ(got.rest, 5u) << piece;
  }
}

TEST(chunk_decoder, waits_for_the_end) {
  for (const char* bytes :
       {"", "5", "5\r", "5\r\n", "5\r\nhello", "5\r\nhello\r", "5\r\nhello\r\n", "0\r\n", "0\r\nA: b\r\n"}) {
    EXPECT_EQ(decode(bytes, 1).how, progress::more) << bytes;
  }
}

struct bad_chunks {
  const char* name;
  std::string bytes;
  int status = 400;
};

const bad_chunks bad_bodies[] = {
    {"size_with_plus", "+5\r\nhello\r\n0\r\n\r\n"},
    {"size_with_minus", "-5\r\nhello\r\n0\r\n\r\n"},
    {"size_with_0x", "0x5\r\nhello\r\n0\r\n\r\n"},
    {"size_in_no_digits", "g\r\nhello\r\n0\r\n\r\n"},
    {"size_empty", "\r\nhello\r\n0\r\n\r\n"},
    {"size_with_space_in_front", " 5\r\nhello\r\n0\r\n\r\n"},
    {"size_with_space_behind", "5 \r\nhello\r\n0\r\n\r\n"},
    {"size_that_overflows", "10000000000000005\r\nhello\r\n0\r\n\r\n"},
    {"size_with_many_zeros", "0000000000000005\r\nhello\r\n0\r\n\r\n"},
    {"size_over_the_limit", "3e9\r\n", 413},
    {"sum_over_the_limit", "3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\n", 413},
    {"size_line_with_bare_lf", "5\nhello\r\n0\r\n\r\n"},
    {"extension_with_bare_lf", "5;a\nhello\r\n0\r\n\r\n"},
    {"extension_with_bare_cr", "5;a\rb\r\nhello\r\n0\r\n\r\n"},
    {"extension_without_end", "5;" + std::string(300, 'x')},
    {"data_without_crlf", "5\r\nhello0\r\n\r\n"},
    {"data_longer_than_said", "5\r\nhello!\r\n0\r\n\r\n"},
    {"data_with_bare_lf_behind", "5\r\nhello\n0\r\n\r\n"},
    {"data_with_cr_and_more_behind", "5\r\nhello\rx0\r\n\r\n"},
    {"end_with_bare_lf", "0\r\n\n"},
    {"trailer_with_length", "0\r\nContent-Length: 5\r\n\r\n"},
    {"trailer_with_encoding", "0\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"trailer_with_host", "0\r\nhost: b\r\n\r\n"},
    {"trailer_that_is_a_condition", "0\r\nIF-Match: b\r\n\r\n"},
    {"trailer_without_colon", "0\r\nGET / HTTP/1.1\r\n\r\n"},
    {"trailer_folded", "0\r\nA: b\r\n c\r\n\r\n"},
    {"trailer_without_end", "0\r\nA: " + std::string(20'000, 'x'), 431},
    {"too_many_trailers", "0\r\nA: b\r\nA: b\r\nA: b\r\n\r\n", 431},
};

class refused_chunks : public testing::TestWithParam<bad_chunks> {};

TEST_P(refused_chunks, however_they_arrive) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, GetParam().bytes.size()}) {
    const outcome got = decode(GetParam().bytes, piece);
    ASSERT_EQ(got.how, progress::refused) << piece;
    EXPECT_EQ(got.status, GetParam().status) << piece;
  }
}

INSTANTIATE_TEST_SUITE_P(table, refused_chunks, testing::ValuesIn(bad_bodies),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(chunk_decoder, keeps_trailers_in_the_order_in_which_they_came) {
  chunk_decoder decoder{small};
  std::string bytes = "2\r\nhi\r\n0\r\nX-Sum:  1 \r\nx-sum: 2\r\n\r\n";
  EXPECT_EQ(decoder.advance(bytes, bytes.data()).how, progress::done);
  EXPECT_EQ(decoder.trailers(), "X-Sum: 1\r\nx-sum: 2\r\n");
  decoder.restart();
  EXPECT_EQ(decoder.trailers(), "");
}

TEST(chunk_decoder, trailers_keep_the_bound_of_heads) {
  std::string bytes = "0\r\nA: " + std::string(200, 'x') + "\r\n\r\n";
  chunk_decoder strict{limits{.head_bytes_max = 100}};
  EXPECT_EQ(strict.advance(bytes, bytes.data()).how, progress::refused);
  EXPECT_EQ(strict.why_refused().status, 431);
}

TEST(chunk_decoder, bounds_all_extensions_together) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += "1;" + std::string(200, 'x') + "\r\nx\r\n";
  EXPECT_EQ(decode(bytes, bytes.size()).how, progress::refused);
}

}  // namespace
}  // namespace weft::http::detail
