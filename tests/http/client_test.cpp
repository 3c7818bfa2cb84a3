#include <weft/http/client.hpp>

#include <gtest/gtest.h>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/server.hpp>

#include "http/raw_client.hpp"
#include "support/expect_error.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

/// Answers each connection with the next of `answers` once it got a whole head, then closes it.
class scripted_server {
 public:
  explicit scripted_server(std::vector<std::string> answers)
      : listener_(net::endpoint::parse("127.0.0.1:0")) {
    serving_ = go([this, script = std::move(answers)] {
      for (const std::string& answer : script) {
        net::stream peer = listener_.accept();
        std::string got;
        char piece[1024];
        while (got.find("\r\n\r\n") == std::string::npos) {
          const std::size_t count = peer.read_some(piece);
          if (count == 0) break;
          got.append(piece, count);
        }
        ++heads_;
        peer.write_all(answer);
      }
    });
  }
  ~scripted_server() {
    listener_.close();
    shield([this] {
      try {
        serving_.join();
      } catch (const error&) {  // closed while it waited for a client that did not come
      }
    });
  }
  std::string url() const { return "http://" + listener_.address().text(); }
  int heads() const { return heads_; }

 private:
  net::listener listener_;
  int heads_ = 0;
  fiber<void> serving_;
};

errc code_of_get(const std::string& answer, client_options options = {}) {
  scripted_server serving({answer});
  client asking(serving.url(), options);
  try {
    asking.get("/x");
  } catch (const error& failed) {
    EXPECT_EQ(std::string(failed.what()).find("http: GET /x at http://127.0.0.1:"), 0u) << failed.what();
    return failed.code();
  }
  return errc::unknown;
}

TEST(http_client, reads_a_response_of_each_framing) {
  run([] {
    for (const char* const answer : {
             "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: "
             "b\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
             "HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nhello",
             "HTTP/1.0 200 OK\r\nX-A: b\r\n\r\nhello",
             "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 "
             "OK\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello",
         }) {
      scripted_server serving({answer});
      const response got = client(serving.url()).get("/x");
      EXPECT_EQ(got.status(), 200) << answer;
      EXPECT_EQ(got.body(), "hello") << answer;
      EXPECT_EQ(got.header("x-a"), "b") << answer;
    }
  });
}

TEST(http_client, says_what_is_wrong_with_a_response) {
  run([] {
    EXPECT_EQ(code_of_get("nonsense\r\n\r\n"), errc::malformed);
    EXPECT_EQ(code_of_get("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
              errc::malformed);
    EXPECT_EQ(code_of_get("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), errc::malformed);
    EXPECT_EQ(
        code_of_get("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nSet-Cookie: a=b\r\n\r\n"),
        errc::malformed);
    EXPECT_EQ(code_of_get("HTTP/1.1 101 Switching Protocols\r\n\r\n"), errc::malformed);
    EXPECT_EQ(code_of_get("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"), errc::unavailable);
    EXPECT_EQ(code_of_get("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
              errc::unavailable);
    EXPECT_EQ(code_of_get("HTTP/1.1 20"), errc::unavailable);
    EXPECT_EQ(code_of_get(""), errc::unavailable);
    const client_options small{.limits = {.head_bytes_max = 100, .body_bytes_max = 4}};
    EXPECT_EQ(code_of_get("HTTP/1.1 200 OK\r\n\r\nhello", small), errc::too_large);
    EXPECT_EQ(
        code_of_get("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", small),
        errc::too_large);
    EXPECT_EQ(code_of_get("HTTP/1.1 200 OK\r\nX: " + std::string(200, 'x') + "\r\n\r\n", small),
              errc::too_large);
  });
}

TEST(http_client, a_stale_kept_connection_is_replaced_once) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .idle_timeout = 20ms});
    serving.get("/x", [] { return "served"; }).post("/x", [] { return "served"; });
    serving.start();
    client asking(serving.url());
    EXPECT_EQ(asking.get("/x").body(), "served");
    EXPECT_EQ(asking.statistics().idle, 1u);
    while (serving.statistics().connections > 0) sleep_for(1ms);
    EXPECT_EQ(asking.post("/x", "body").body(), "served");
    EXPECT_EQ(asking.statistics().connections, 2u);
    serving.stop();
  });
}

TEST(http_client, only_what_may_be_repeated_is_sent_again) {
  run([] {
    const std::string kept = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    for (const bool repeatable : {true, false}) {
      net::listener listening(net::endpoint::parse("127.0.0.1:0"));
      auto serving = go([&] {
        char piece[1024];
        net::stream first = listening.accept();
        first.read_some(piece);
        first.write_all(kept);
        first.read_some(piece);  // the second request: read, and left without an answer
        first.close();
        if (!repeatable) return;
        net::stream second = listening.accept();
        second.read_some(piece);
        second.write_all(kept);
      });
      client asking("http://" + listening.address().text());
      asking.get("/x");
      if (repeatable) {
        EXPECT_EQ(asking.get("/x").body(), "ok");
        EXPECT_EQ(asking.statistics().repeated, 1u);
      } else {
        try {
          asking.post("/x", "");
          ADD_FAILURE();
        } catch (const error& failed) {
          EXPECT_EQ(failed.code(), errc::unavailable);
          EXPECT_NE(std::string(failed.what()).find("may have served"), std::string::npos) << failed.what();
        }
      }
      serving.join();
    }
  });
}

TEST(http_client, a_request_of_which_a_part_was_read_is_not_sent_again) {
  run([] {
    net::listener listening(net::endpoint::parse("127.0.0.1:0"));
    bool again = false;
    auto serving = go([&] {
      char piece[1024];
      net::stream first = listening.accept();
      first.read_some(piece);
      first.write_all("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      first.read_some(piece);  // the second request's head, and more lies there
      first.close();
      net::stream second = listening.accept();
      again = second.read_some(piece) > 0;
    });
    {
      client asking("http://" + listening.address().text());
      asking.get("/x");
      const std::string text =
          message_of(errc::unavailable, [&] { asking.post("/x", std::string(32'000'000, 'x')); });
      EXPECT_TRUE(has_text(text, "may have served")) << text;
      EXPECT_EQ(asking.statistics().connections, 1u);
    }
    net::stream::connect(listening.address());
    serving.join();
    EXPECT_FALSE(again);
  });
}

TEST(http_client, keeps_within_its_connections) {
  run([] {
    server serving(on_any_port());
    int inside = 0;
    int most = 0;
    serving.get("/x", [&] {
      most = std::max(most, ++inside);
      sleep_for(1ms);
      --inside;
    });
    serving.start();
    client asking(serving.url(), {.connections_max = 8});
    scope all;
    for (int i = 0; i < 64; ++i) all.go([&] { asking.get("/x"); });
    all.join();
    EXPECT_EQ(most, 8);
    EXPECT_EQ(asking.statistics().connections, 8u);
    EXPECT_EQ(asking.statistics().idle, 8u);
    serving.stop();
  });
}

TEST(http_client, ends_at_its_time_limit_and_at_the_deadline_of_the_task) {
  run([] {
    server serving(on_any_port());
    event over;
    // The server learns the deadline too, and may not be faster.
    serving.get("/slow", [&over] { shield([&over] { over.wait(); }); });
    serving.get("/x", [] { return "served"; });
    serving.start();
    client asking(serving.url());
    try {
      asking.get("/slow", {.timeout = 20ms});
      ADD_FAILURE();
    } catch (const error& late) {
      EXPECT_EQ(late.code(), errc::timed_out);
    }
    EXPECT_THROW(with_timeout(20ms, [&] { asking.get("/slow"); }), deadline_exceeded);
    auto waiting = go([&] { asking.get("/slow"); });
    yield();
    waiting.cancel();
    EXPECT_THROW(waiting.join(), cancelled);
    EXPECT_EQ(asking.statistics().idle, 0u);  // none of those connections is used again
    EXPECT_EQ(asking.get("/x").body(), "served");
    over.set();
    serving.stop(0ms);
  });
}

TEST(http_client, a_large_refused_body_still_gets_its_answer) {
  run([] {
    server serving(on_any_port());
    serving.post("/x", [] {});
    serving.start();
    client asking(serving.url());
    EXPECT_EQ(asking.post("/x", std::string(4'000'000, 'x')).status(), 413);
    serving.stop();
  });
}

TEST(http_client, refuses_requests_that_would_break_the_message) {
  run([] {
    client asking("http://127.0.0.1:1");
    const auto code = [&](std::string_view method, std::string_view target,
                          const request_options& options = {}) {
      try {
        asking.send(method, target, "", options);
      } catch (const error& refused) {
        return refused.code();
      }
      return errc::unknown;
    };
    EXPECT_EQ(code("GET", "/a b"), errc::invalid_argument);
    EXPECT_EQ(code("GET", "/a\r\nX: y"), errc::invalid_argument);
    EXPECT_EQ(code("GET", "a"), errc::invalid_argument);
    EXPECT_EQ(code("GET /", "/a"), errc::invalid_argument);
    EXPECT_EQ(code("GET", "/a", {.headers = {{"X", "a\r\nY: b"}}}), errc::invalid_argument);
    EXPECT_EQ(code("GET", "/a", {.headers = {{"Content-Length", "5"}}}), errc::invalid_argument);
    EXPECT_EQ(code("GET", "/a", {.content_type = "a\nb"}), errc::invalid_argument);
    EXPECT_EQ(code("GET", "/a"), errc::unavailable);
  });
}

TEST(http_client, reads_its_url) {
  for (const char* const bad : {"127.0.0.1:80", "ftp://a", "http://", "http://a/b", "http://a:x",
                                "http://unix:x", "http://a\r\nX: y", "http://a b", "http://a\xc3\xa4"}) {
    EXPECT_THROW(client{bad}, error) << bad;
  }
  for (const char* const good : {"http://127.0.0.1", "http://127.0.0.1:80/", "http://[::1]",
                                 "http://[::1]:80", "https://a", "https://a:444/", "unix:/x", "HTTPS://a"}) {
    EXPECT_NO_THROW(client{good}) << good;
  }
}

}  // namespace
}  // namespace weft::http
