#include <weft/http/server.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/status_error.hpp>

#include "http/raw_client.hpp"

// Bodies that a handler reads itself.

namespace weft::http {
namespace {

using namespace std::chrono_literals;

constexpr route_options streamed{.streams_body = true};

std::string counted_post(std::size_t bytes, std::string_view more = {}) {
  return "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(bytes) + "\r\n" +
         std::string(more) + "\r\n";
}
const std::string chunked_post = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string next_get = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

std::string bytes_of(std::size_t count) {
  std::string made(count, '\0');
  for (std::size_t i = 0; i < count; ++i) made[i] = static_cast<char>('a' + i * i % 23);
  return made;
}

/// A server whose POST /x streams, and whose GET /next says "next".
class http_streamed_body : public testing::Test {
 protected:
  template <typename Handler, typename Body>
  static void serve(Handler&& handler, Body&& body, route_options how = streamed,
                    server_options options = on_any_port()) {
    run([&] {
      server serving(std::move(options));
      serving.post("/x", handler, how).get("/next", [] { return "next"; });
      serving.start();
      body(serving);
      serving.stop();
    });
  }

  static std::string gathered(const request& in) {
    std::string all;
    for (std::string_view piece; !(piece = in.read_body()).empty();) {
      EXPECT_LE(piece.size(), 64u * 1024);
      all += piece;
    }
    EXPECT_EQ(in.read_body(), "");  // and so on
    return all;
  }
};

TEST_F(http_streamed_body, is_read_while_it_comes) {
  event has_first;
  std::vector<std::string> pieces;
  serve(
      [&](request& in, response& out) {
        EXPECT_EQ(in.content_length(), 10u);
        pieces.emplace_back(in.read_body());
        has_first.set();
        for (std::string_view piece; !(piece = in.read_body()).empty();) pieces.emplace_back(piece);
        out.body("read");
      },
      [&](server& serving) {
        raw_client asking(serving);
        asking.send(counted_post(10) + "first");
        has_first.wait();
        asking.send("later" + next_get);
        EXPECT_TRUE(asking.read_until("read").starts_with("HTTP/1.1 200 OK"));
        asking.read_until("next");
        EXPECT_EQ(serving.statistics().connections_total, 1u);
      });
  EXPECT_EQ(pieces, (std::vector<std::string>{"first", "later"}));
}

TEST_F(http_streamed_body, of_any_size_and_framing_comes_whole_and_is_followed_by_the_next_request) {
  const std::string sent = bytes_of(3'000'000);
  for (const std::size_t chunk : {std::size_t{0}, std::size_t{1000}, std::size_t{70'000}, sent.size()}) {
    SCOPED_TRACE(chunk);
    std::string got;
    serve([&](request& in) { got = gathered(in); },
          [&](server& serving) {
            raw_client asking(serving);
            if (chunk == 0) {
              asking.send(counted_post(sent.size()) + sent + next_get);
            } else {
              std::string framed = chunked_post;
              for (std::size_t at = 0; at < sent.size(); at += chunk) {
                const auto piece = sent.substr(at, chunk);
                char size[32];
                std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
                framed += size + piece + "\r\n";
              }
              asking.send(framed + "0\r\n\r\n" + next_get + next_get);
            }
            asking.read_until("next");
            if (chunk != 0) asking.read_until("next");
          },
          {.streams_body = true, .body_bytes_max = sent.size()});
    EXPECT_TRUE(got == sent);
  }
}

TEST_F(http_streamed_body, byte_by_byte) {
  std::string got;
  serve([&](request& in) { got = gathered(in); },
        [&](server& serving) {
          raw_client asking(serving);
          for (const char one : chunked_post + "3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n" + next_get) {
            asking.send({&one, 1});
            yield();
          }
          asking.read_until("next");
        });
  EXPECT_EQ(got, "abcde");
}

TEST_F(http_streamed_body, can_be_had_whole) {
  std::string got;
  serve(
      [&](request& in) {
        got = in.body();
        EXPECT_EQ(in.body(), got);
        EXPECT_THROW(in.read_body(), error);
      },
      [&](server& serving) {
        raw_client asking(serving);
        asking.send(chunked_post + "3\r\nabc\r\n");
        yield();
        asking.send("2\r\nde\r\n0\r\n\r\n" + next_get);
        asking.read_until("next");
      });
  EXPECT_EQ(got, "abcde");
}

TEST_F(http_streamed_body, is_whole_or_in_pieces) {
  errc code{};
  serve(
      [&](request& in) {
        in.read_body();
        try {
          in.body();
        } catch (const error& refused) {
          code = refused.code();
        }
      },
      [&](server& serving) { EXPECT_EQ(client(serving.url()).post("/x", "abc").status(), 200); });
  EXPECT_EQ(code, errc::misuse);
}

TEST_F(http_streamed_body, a_client_that_waits_for_a_word_gets_it_once_the_handler_reads) {
  event may_read;
  serve(
      [&](request& in, response& out) {
        may_read.wait();
        out.body(gathered(in));
      },
      [&](server& serving) {
        raw_client asking(serving);
        asking.send(counted_post(3, "Expect: 100-continue\r\n"));
        while (serving.statistics().requests == 0) yield();
        may_read.set();
        EXPECT_EQ(asking.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
        asking.send("abc" + next_get);
        asking.read_until("abc");
        asking.read_until("next");
      });
}

TEST_F(http_streamed_body,
       a_client_that_waits_for_a_word_is_answered_without_it_where_the_handler_does_not_read) {
  serve([](response& out) { out.status(403); },
        [&](server& serving) {
          raw_client asking(serving);
          asking.send(counted_post(3, "Expect: 100-continue\r\n"));
          const std::string got =
              asking.read_to_end();  // whether the body comes is not known, so it is closed
          EXPECT_TRUE(got.starts_with("HTTP/1.1 403 ")) << got;
          EXPECT_NE(got.find("Connection: close"), std::string::npos) << got;
        });
}

TEST_F(http_streamed_body, a_client_that_waits_for_a_word_gets_none_within_the_answer) {
  serve(
      [](request& in, response& out) {
        out.write("begun");
        EXPECT_EQ(in.read_body(), "abc");
      },
      [&](server& serving) {
        raw_client asking(serving);
        asking.send(counted_post(3, "Expect: 100-continue\r\n"));
        asking.read_until("begun\r\n");
        asking.send("abc");
        EXPECT_EQ(asking.read_to_end(), "0\r\n\r\n");
      });
}

TEST_F(http_streamed_body, an_answer_that_was_cut_off_is_not_gone_on_with) {
  const std::string large(20'000'000, 'x');
  serve(
      [&](response& out) {
        EXPECT_THROW(with_timeout(10ms, [&] { out.write(large); }), deadline_exceeded);
        EXPECT_THROW(out.write("more"), error);
      },
      [&](server& serving) {
        raw_client asking(serving);
        asking.send(counted_post(0) + next_get);
        while (serving.statistics().connections_total == 0 || serving.statistics().connections > 0) yield();
        const std::string got = asking.read_to_end();
        EXPECT_LT(got.size(), large.size());
        EXPECT_FALSE(got.ends_with("0\r\n\r\n"));
        EXPECT_EQ(count_of(got, "HTTP/1.1"), 1u);
      });
}

TEST_F(http_streamed_body, that_is_too_large_for_json_is_no_bad_json) {
  serve([](request& in) { in.json<std::vector<int>>(); },
        [&](server& serving) {
          raw_client asking(serving);
          asking.send(chunked_post + "9\r\n");
          EXPECT_EQ(asking.read_until("\r\n"), "HTTP/1.1 413 Content Too Large\r\n");
        },
        {.streams_body = true, .body_bytes_max = 5});
}

TEST_F(http_streamed_body, a_little_that_is_left_is_read_over) {
  serve([] { return "enough"; },
        [&](server& serving) {
          raw_client asking(serving);
          asking.send(counted_post(30'000) + bytes_of(10'000));
          asking.read_until("enough");
          asking.send(bytes_of(20'000) + next_get);
          asking.read_until("next");
          EXPECT_EQ(serving.statistics().connections_total, 1u);
        });
}

TEST_F(http_streamed_body, much_that_is_left_ends_the_connection_after_the_answer) {
  serve([] { return "enough"; },
        [&](server& serving) {
          raw_client asking(serving);
          asking.send(counted_post(1'000'000) + bytes_of(10'000));
          const std::string got = asking.read_until("enough");
          EXPECT_NE(got.find("Connection: close"), std::string::npos) << got;
          EXPECT_EQ(asking.read_to_end(), "");
        });
}

TEST_F(http_streamed_body, chunks_without_end_that_nobody_reads_end_the_connection) {
  serve([] { return "enough"; },
        [&](server& serving) {
          raw_client asking(serving);
          asking.send(chunked_post + "ffff\r\n" + bytes_of(0xffff) + "\r\nffff\r\n" + bytes_of(0xffff) +
                      "\r\n1\r\n");
          asking.read_until("enough");
          EXPECT_EQ(asking.read_to_end(), "");
        });
}

TEST_F(http_streamed_body, that_is_malformed_is_answered_with_400) {
  serve([](request& in) { gathered(in); },
        [&](server& serving) {
          raw_client asking(serving);
          asking.send(chunked_post + "3\r\nabc\r\nx\r\n" + next_get);
          const std::string answer = asking.read_to_end();
          EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
          EXPECT_EQ(count_of(answer, "HTTP/1.1"), 1u);
          EXPECT_EQ(serving.statistics().refused_requests, 1u);
        });
}

TEST_F(http_streamed_body, that_is_malformed_has_the_handlers_answer_where_it_gives_one) {
  serve(
      [&](request& in, response& out) {
        for (int i = 0; i < 2; ++i) EXPECT_THROW(in.read_body(), status_error);
        out.status(422);
      },
      [&](server& serving) {
        const std::string answer = raw_client(serving).ask(chunked_post + "x\r\n" + next_get);
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 422 ")) << answer;
        EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
        EXPECT_EQ(count_of(answer, "HTTP/1.1"), 1u);
      });
}

TEST_F(http_streamed_body, has_the_bound_of_its_route) {
  const auto status_of = [](std::string_view head, server& serving) {
    raw_client asking(serving);
    asking.send(head);
    return asking.read_until("\r\n");
  };
  serve([&](request& in) { gathered(in); },
        [&](server& serving) {
          EXPECT_EQ(status_of(counted_post(5) + "abcde", serving), "HTTP/1.1 200 OK\r\n");
          EXPECT_EQ(status_of(counted_post(6), serving), "HTTP/1.1 413 Content Too Large\r\n");
          EXPECT_EQ(status_of(chunked_post + "5\r\nabcde\r\n1\r\n", serving),
                    "HTTP/1.1 413 Content Too Large\r\n");
        },
        {.streams_body = true, .body_bytes_max = 5},
        {.listen = "127.0.0.1:0", .limits = {.body_bytes_max = 2}});
}

TEST_F(http_streamed_body, that_is_late_is_answered_with_408) {
  serve([&](request& in) { gathered(in); },
        [&](server& serving) {
          raw_client asking(serving);
          asking.send(counted_post(5) + "abc");
          EXPECT_EQ(asking.read_until("\r\n"), "HTTP/1.1 408 Request Timeout\r\n");
        },
        {.streams_body = true, .body_timeout = 20ms});
}

TEST_F(http_streamed_body, whose_client_leaves_is_an_error_of_its_own) {
  errc code{};
  serve(
      [&](request& in) {
        try {
          gathered(in);
        } catch (const error& failed) {
          code = failed.code();
          throw;
        }
      },
      [&](server& serving) {
        raw_client(serving).send(counted_post(5) + "abc");
        while (serving.statistics().connections_total == 0 || serving.statistics().connections > 0) yield();
      });
  EXPECT_EQ(code, errc::closed);
}

TEST(http_server, trailers_are_there_once_the_body_was_read) {
  run([] {
    server serving(on_any_port());
    serving.post("/whole", [](request& in) {
      return std::string(in.trailer("x-digest").value_or("none")) + (in.header("X-Digest") ? " header" : "");
    });
    serving.post("/streamed",
                 [](request& in) {
                   EXPECT_FALSE(in.trailer("X-Digest"));
                   while (!in.read_body().empty()) {
                   }
                   return std::string(in.trailer("X-Digest").value_or("none"));
                 },
                 {.streams_body = true});
    serving.start();
    const std::string chunked =
        " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n";
    const std::string plain = "POST /whole HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab";
    const std::string got = raw_client(serving).ask(
        "POST /whole" + chunked + "A: b\r\nX-Digest:  one \r\n\r\n" + "POST /streamed" + chunked +
        "X-Digest: two\r\n\r\n" + plain + "POST /whole" + chunked + "\r\n");
    EXPECT_EQ(count_of(got, "\r\n\r\none"), 1u) << got;
    EXPECT_EQ(count_of(got, "\r\n\r\ntwo"), 1u) << got;
    EXPECT_EQ(count_of(got, "\r\n\r\nnone"), 2u) << got;
    serving.stop();
  });
}

TEST(http_server, trailers_of_an_answer_go_to_those_who_take_them) {
  run([] {
    server serving(on_any_port());
    serving.get("/x", [](response& out) {
      out.write("body");
      out.trailer("X-Digest", "d1");
      for (const char* const name :
           {"Content-Length", "Trailer", "Set-Cookie", "content-type", "If-Match", "a b"})
        EXPECT_THROW(out.trailer(name, "5"), error) << name;
      EXPECT_THROW(out.trailer("X", "a\r\nb"), error);
    });
    serving.get("/announced", [](response& out) { out.trailer("A", "1").trailer("B", "2").write("body"); });
    serving.get("/whole", [](response& out) { out.trailer("A", "1").body("body"); });
    serving.get("/counted", [](response& out) { out.trailer("A", "1").length(4).write("body"); });
    serving.start();
    const std::string request = "GET /x HTTP/1.1\r\nHost: a\r\n";
    EXPECT_TRUE(raw_client(serving)
                    .ask(request + "TE: gzip, trailers\r\n\r\n")
                    .ends_with("\r\n0\r\nX-Digest: d1\r\n\r\n"));
    EXPECT_TRUE(raw_client(serving).ask(request + "\r\n").ends_with("body\r\n0\r\n\r\n"));
    const auto to = [&](const std::string& target, const char* version, const char* fields) {
      return raw_client(serving).ask("GET " + target + " HTTP/" + version + "\r\nHost: a\r\n" + fields +
                                     "\r\n");
    };
    const std::string announced = to("/announced", "1.1", "TE: trailers\r\nConnection: TE\r\n");
    EXPECT_EQ(count_of(announced, "\r\nTrailer: A, B\r\n"), 1u) << announced;
    EXPECT_TRUE(announced.ends_with("\r\n0\r\nA: 1\r\nB: 2\r\n\r\n")) << announced;
    for (const std::string& got :
         {to("/announced", "1.1", ""), to("/announced", "1.0", "TE: trailers\r\n"),
          to("/whole", "1.1", "TE: trailers\r\n"), to("/counted", "1.1", "TE: trailers\r\n")}) {
      EXPECT_EQ(count_of(got, "Trailer:") + count_of(got, "A: 1"), 0u) << got;
      EXPECT_EQ(count_of(got, "body"), 1u) << got;
    }
    serving.stop();
  });
}

}  // namespace
}  // namespace weft::http
