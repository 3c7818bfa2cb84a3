// Requests that must not be served: what RFC 9112 forbids, and what makes two servers disagree about where a
// request ends. Each gets one answer and a closed connection, and what follows it is not a request.

#include <weft/http/server.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include <weft/fiber/run.hpp>

#include "http/hostile_table.hpp"
#include "http/raw_client.hpp"

namespace weft::http {
namespace {

TEST(hostile, requests_get_one_answer_and_nothing_behind_them_is_seen) {
  const hostile_table table;
  ASSERT_GE(table.all.size(), 150u);
  run([&table] {
    server serving(on_any_port());
    int called = 0;
    const auto count = [&called] { ++called; };
    serving.get("/x", count).post("/x", count).get("/behind", count);
    serving.start();
    std::uint64_t refused = 0;
    for (const hostile& one : table.all) {
      SCOPED_TRACE(one.name);
      const std::string got = raw_client(serving).ask(one.bytes + "GET /behind HTTP/1.1\r\nHost: a\r\n\r\n");
      EXPECT_EQ(got.find("HTTP/1.1 " + std::to_string(one.status) + ' '), 0u) << got;
      EXPECT_EQ(count_of(got, "\r\nDate: "), 1u) << got;
      EXPECT_EQ(count_of(got, "\r\nConnection: close\r\n"), 1u) << got;
      EXPECT_EQ(std::exchange(called, 0), 0);
      EXPECT_EQ(serving.statistics().refused_requests, ++refused);
    }
    EXPECT_EQ(raw_client(serving).ask("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").find("HTTP/1.1 200 "), 0u);
    serving.stop();
  });
}

// What is strange and right: what is behind it is the next request.
TEST(hostile, requests_that_only_look_so_are_served_as_they_are) {
  run([] {
    server serving(on_any_port());
    serving.get("/behind", [] { return "behind"; });
    serving.post("/x", [](request& in, response& out) { out.body("<" + std::string(in.body()) + ">"); });
    serving.get("/x", [](request& in, response& out) { out.body("<" + std::string(in.body()) + ">"); });
    serving.start();
    const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string post = "POST /x HTTP/1.1\r\nHost: a\r\n";
    const std::pair<std::string, std::string> good[] = {
        {"\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", ""},  // one empty line in front
        {"GET /x HTTP/1.1\r\nHost:\ta \r\n\r\n", ""},
        {"GET http://a/x HTTP/1.1\r\nHost: A\r\n\r\n", ""},
        {"GET HTTP://a/x HTTP/1.1\r\nHost: a\r\n\r\n", ""},
        {"GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", ""},
        {post + "Content-Length: " + std::to_string(hidden.size()) + "\r\n\r\n" + hidden, hidden},
        {post + "Content-Length: 005\r\n\r\nhello", "hello"},
        {post + "Transfer-Encoding: ChunKed\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello"},
        {post + "Transfer-Encoding: chunked\r\n\r\n00005;a=\"b;c\"\r\nhello\r\n000\r\nX: y\r\n\r\n", "hello"},
        {post + "Transfer-Encoding: chunked\r\n\r\nA\r\n0\r\n\r\nGET /\r\n0\r\n\r\n", "0\r\n\r\nGET /"},
        {post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nGET: /hidden "
                "HTTP/1.1\r\nContent-Lengths: 50\r\n\r\n",
         "hello"},
        {post + "Transfer_Encoding: chunked\r\nContent-Length: 2\r\n\r\nab", "ab"},
    };
    for (const auto& [bytes, body] : good) {
      const std::string got = raw_client(serving).ask(bytes + "GET /behind HTTP/1.1\r\nHost: a\r\n\r\n");
      EXPECT_EQ(count_of(got, "HTTP/1.1 200 OK"), 2u) << bytes << '\n' << got;
      EXPECT_EQ(count_of(got, "<" + body + ">"), 1u) << bytes << '\n' << got;
      EXPECT_TRUE(got.ends_with("behind")) << bytes << '\n' << got;
    }
    serving.stop();
  });
}

TEST(hostile, good_requests_before_a_bad_one_are_answered) {
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
