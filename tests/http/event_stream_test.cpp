#include <weft/http/event_stream.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/select.hpp>
#include <weft/http/event_parser.hpp>
#include <weft/http/server.hpp>

#include "http/raw_client.hpp"
#include "support/expect_error.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

constexpr route_options unbounded = {.handler_timeout = 0ms};

std::vector<received_event> parsed(std::string_view bytes, std::size_t piece = 1) {
  event_parser parser;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
    parser.feed(bytes.substr(0, piece));
  std::vector<received_event> all;
  while (auto one = parser.next()) all.push_back(*one);
  return all;
}

TEST(event_parser, understands_what_the_standard_shows) {
  const auto got = parsed(
      "\xef\xbb\xbf: a comment\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"
      "data\n\ndata\ndata\n\nevent: add\r\ndata: x\r\ndata: y\r\n\r\ndata: r\r\rdata: unfinished");
  ASSERT_EQ(got.size(), 7u);
  EXPECT_EQ(got[0].data, "first event");
  EXPECT_EQ(got[0].id, "1");
  EXPECT_EQ(got[0].name, "message");
  EXPECT_EQ(got[1].data, "second event");
  EXPECT_EQ(got[1].id, "");
  EXPECT_EQ(got[2].data, " third event");
  EXPECT_EQ(got[3].data, "");
  EXPECT_EQ(got[4].data, "\n");
  EXPECT_EQ(got[5].data, "x\ny");
  EXPECT_EQ(got[5].name, "add");
  EXPECT_EQ(got[6].data, "r");
}

TEST(event_parser, keeps_id_and_retry_and_passes_nonsense_over) {
  event_parser parser;
  parser.feed(
      "id: 7\nretry: 1500\n\nretry: -1\nretry: 5x\nretry:\nid: 8\0\nnothing: x\nevent: lost\n\ndata: d\n\n"s);
  EXPECT_EQ(parser.last_id(), "7");
  EXPECT_EQ(parser.retry(), 1500ms);
  const auto only = parser.next();
  ASSERT_TRUE(only);
  EXPECT_EQ(only->name, "message");
  EXPECT_FALSE(parser.next());
  event_parser small(10);
  message_of(errc::too_large, [&] { small.feed("data: 12345678"); });
}

TEST(event_parser, the_id_of_an_event_that_is_not_complete_does_not_count) {
  event_parser parser(1000, "0");
  parser.feed("data: a\n\nid: 1\ndata: b\n\nid: 2\ndata: lost");
  EXPECT_EQ(parser.last_id(), "1");
  EXPECT_EQ(parser.next()->id, "0");  // of the connection before
  EXPECT_EQ(parser.next()->id, "1");
  parser.feed("\n\n");
  EXPECT_EQ(parser.last_id(), "2");
}

TEST(event_parser, a_long_id_is_neither_kept_by_each_event_nor_without_a_bound) {
  event_parser parser;
  const std::string id(event_parser::id_bytes_max, 'i');
  parser.feed("id:" + id + "\n\ndata\n\ndata\n\nid\n\nid:2\ndata\n\ndata\n\nid\ndata\n\n");
  for (const std::string& expected : {id, id, std::string("2"), std::string("2"), std::string()}) {
    const auto got = parser.next();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->id, expected);
  }
  EXPECT_FALSE(parser.next());
  message_of(errc::too_large, [&] { parser.feed("id:" + id + "i\n"); });
}

/// What is behind the chunk sizes of a streamed answer.
std::string without_chunks(const std::string& answer) {
  std::string body;
  for (std::size_t at = answer.find("\r\n\r\n") + 4; at < answer.size();) {
    const std::size_t count = std::stoul(answer.substr(at), nullptr, 16);
    at = answer.find("\r\n", at) + 2;
    body += answer.substr(at, count);
    at += count + 2;
  }
  return body;
}

TEST(event_stream, events_arrive_as_they_were_sent) {
  run([] {
    server serving(on_any_port());
    serving.get(
        "/events",
        [](request& in, response& out) {
          event_stream events(in, out);
          EXPECT_EQ(events.last_id(), "41");
          EXPECT_EQ(events.is_open(), in.method() == "GET");
          if (!events.is_open()) return;
          EXPECT_TRUE(events.send("plain"));
          EXPECT_TRUE(
              events.send({.data = "two\nlines\r\nor\rmore\n", .name = "news", .id = "42", .retry = 3s}));
          message_of(errc::invalid_argument, [&] { events.send({.data = "x", .name = "a\nb"}); });
          message_of(errc::invalid_argument, [&] { events.send({.data = "x", .id = "a\rb"}); });
          EXPECT_TRUE(events.send(""));
        },
        unbounded);
    serving.start();
    const std::string got =
        raw_client(serving).ask("GET /events HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 41\r\n\r\n");
    EXPECT_EQ(count_of(got, "Content-Type: text/event-stream\r\n"), 1u) << got;
    EXPECT_EQ(count_of(got, "Cache-Control: no-cache\r\n"), 1u) << got;
    const auto events = parsed(without_chunks(got), 3);
    ASSERT_EQ(events.size(), 3u) << got;
    EXPECT_EQ(events[0].data, "plain");
    EXPECT_EQ(events[1].data, "two\nlines\nor\nmore\n");
    EXPECT_EQ(events[1].name, "news");
    EXPECT_EQ(events[1].id, "42");
    EXPECT_EQ(events[2].data, "");
    EXPECT_EQ(
        raw_client(serving).ask("HEAD /events HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 41\r\n\r\n").find("data"),
        std::string::npos);
    serving.stop();
  });
}

TEST(event_stream, comments_keep_it_alive) {
  run([] {
    server serving(on_any_port());
    serving.get(
        "/events",
        [](request& in, response& out) {
          event_stream events(in, out, {.keep_alive = 5ms});
          events.ended().wait();
        },
        unbounded);
    serving.start();
    raw_client reading(serving);
    reading.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    reading.read_until(":\n\n");
    reading.send("GET /behind HTTP/1.1\r\nHost: a\r\n\r\n");  // is not taken for the end
    reading.read_until(":\n\n");
    reading.read_until(":\n\n");
    serving.stop();
  });
}

TEST(event_stream, ends_when_the_client_has_gone) {
  run([] {
    server serving(on_any_port());
    event over;
    serving.get(
        "/events",
        [&over](request& in, response& out) {
          event_stream events(in, out, {.keep_alive = 0ms});
          events.ended().wait();
          EXPECT_FALSE(events.send("x"));
          over.set();
        },
        unbounded);
    serving.start();
    {
      raw_client leaves(serving);
      leaves.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
      leaves.read_until("\r\n\r\n");
    }
    EXPECT_TRUE(over.wait_for(20s));
    serving.stop();
  });
}

TEST(event_stream, ends_when_the_server_stops_and_no_request_is_cancelled) {
  run([] {
    server serving(on_any_port());
    channel<std::string> news(4);
    serving.get(
        "/events",
        [&news](request& in, response& out) {
          event_stream events(in, out);
          while (events.is_open()) {
            select(on_pop(news, [&](std::optional<std::string> one) { events.send(*one); }),
                   on_set(events.ended(), [] {}));
          }
        },
        unbounded);
    serving.start();
    raw_client reading(serving);
    reading.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    news.push("first");
    reading.read_until("data: first\n\n");
    EXPECT_TRUE(serving.stop(20s));
    EXPECT_TRUE(reading.read_to_end().ends_with("0\r\n\r\n"));
  });
}

TEST(event_stream, a_client_that_does_not_read_is_given_up) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .write_timeout = 50ms});
    event over;
    serving.get(
        "/events",
        [&over](request& in, response& out) {
          event_stream events(in, out);
          const std::string much(1'000'000, 'x');
          while (events.send(much)) {
          }
          over.set();
        },
        unbounded);
    serving.start();
    raw_client silent(serving);
    silent.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(over.wait_for(20s));
    serving.stop();
  });
}

}  // namespace
}  // namespace weft::http
