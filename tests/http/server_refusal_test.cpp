#include <weft/http/server.hpp>

#include <gtest/gtest.h>

#include <weft/fiber/run.hpp>

#include "http/raw_client.hpp"

namespace weft::http {
namespace {

struct bad_bytes {
  const char* name;
  std::string bytes;
  int status = 400;
};

// What each of them shall never do: reach the handler, or let the request behind it be served.
const bad_bytes all_bad_bytes[] = {
    {"length_and_chunked",
     "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"two_lengths", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n"},
    {"chunked_obscured",
     "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"},
    {"space_before_colon", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length : 4\r\n\r\n"},
    {"bare_lf", "GET /x HTTP/1.1\nHost: a\n\n"},
    {"folded", "GET /x HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"},
    {"no_host", "GET /x HTTP/1.1\r\n\r\n"},
    {"two_hosts", "GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
    {"body_on_get", "GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n"},
    {"bad_chunk_size",
     "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"},
    {"bad_chunk_end",
     "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloo\r\n0\r\n\r\n"},
    {"trailer_that_frames",
     "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n"},
    {"no_http", "hello\r\n\r\n"},
    {"other_version", "GET /x HTTP/3.0\r\nHost: a\r\n\r\n", 505},
    {"long_target", "GET /" + std::string(10'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
    {"target_of_64_kilobytes", "GET /" + std::string(64 * 1024, 'x'), 414},
    {"header_of_1_megabyte", "GET /x HTTP/1.1\r\nHost: a\r\nX: " + std::string(1'000'000, 'x') + "\r\n\r\n",
     431},
    {"ten_thousand_headers",
     [] {
       std::string all = "GET /x HTTP/1.1\r\nHost: a\r\n";
       for (int i = 0; i < 10'000; ++i) all += "a:b\r\n";
       return all + "\r\n";
     }(),
     431},
    {"announced_body_over_the_limit", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413},
    {"body_over_the_limit_sent_at_once",
     "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n" + std::string(2'000'000, 'x'), 413},
    {"chunked_body_over_the_limit",
     "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n" +
         std::string(0xfffff, 'x') + "\r\n2\r\nxx\r\n",
     413},
    {"large_body_that_is_not_waited_for",
     "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n", 413},
    {"tls", "\x16\x03\x01\x02"},
};

class refused_bytes : public testing::TestWithParam<bad_bytes> {};

TEST_P(refused_bytes, get_one_answer_and_a_closed_connection) {
  run([] {
    server serving(on_any_port());
    int called = 0;
    const auto count = [&called] { ++called; };
    serving.get("/x", count).post("/x", count);
    serving.start();
    const std::string got = raw_client(serving).ask(GetParam().bytes + "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(got.find("HTTP/1.1 " + std::to_string(GetParam().status) + " "), 0u) << got;
    EXPECT_EQ(count_of(got, "\r\nDate: "), 1u) << got;
    EXPECT_NE(got.find("Connection: close"), std::string::npos) << got;
    EXPECT_EQ(called, 0);
    EXPECT_EQ(serving.statistics().refused_requests, 1u);
    serving.stop();
  });
}

INSTANTIATE_TEST_SUITE_P(table, refused_bytes, testing::ValuesIn(all_bad_bytes),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(http_server, takes_a_request_hidden_in_a_body_for_the_body_it_is) {
  run([] {
    server serving(on_any_port());
    int called = 0;
    serving.get("/hidden", [&called] { ++called; });
    serving.post("/x", [](request& in, response& out) { out.body(std::to_string(in.body().size())); });
    serving.start();
    const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string got = raw_client(serving).ask("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                                                    std::to_string(hidden.size()) + "\r\n\r\n" + hidden);
    EXPECT_EQ(count_of(got, "HTTP/1.1"), 1u);
    EXPECT_TRUE(got.ends_with("\r\n\r\n" + std::to_string(hidden.size())));
    EXPECT_EQ(called, 0);
    serving.stop();
  });
}

TEST(http_server, answers_good_requests_before_it_refuses_the_bad_one) {
  run([] {
    server serving(on_any_port());
    serving.get("/x", [] { return "good"; });
    serving.start();
    const std::string got = raw_client(serving).ask(
        "GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost : "
        "a\r\n\r\n");
    EXPECT_EQ(count_of(got, "HTTP/1.1 200 OK"), 2u) << got;
    EXPECT_EQ(count_of(got, "HTTP/1.1 400 Bad Request"), 1u) << got;
    serving.stop();
  });
}

}  // namespace
}  // namespace weft::http
