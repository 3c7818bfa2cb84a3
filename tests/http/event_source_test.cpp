#include <weft/http/event_source.hpp>

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/event_stream.hpp>
#include <weft/http/server.hpp>
#include <weft/net/listener.hpp>

#include "http/raw_client.hpp"
#include "support/expect_error.hpp"
#include "support/scratch_folder.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

const route_options unbounded{.handler_timeout = 0ms};
const event_source_options quickly{.retry = 1ms, .retry_max = 4ms};

TEST(event_source, goes_on_behind_the_last_event_until_the_server_ends_it) {
  run([] {
    server serving(on_any_port());
    std::vector<std::string> asked;
    serving.get(
        "/events",
        [&](request& in, response& out) {
          asked.emplace_back(in.header("Last-Event-ID").value_or("none"));
          EXPECT_EQ(in.header("Accept"), "text/event-stream");
          EXPECT_EQ(in.header("X-Own"), "1");
          EXPECT_FALSE(in.header(request_timeout_header));
          if (asked.size() == 3) return void(out.status(204));
          event_stream events(in, out);
          const int first = static_cast<int>(asked.size()) * 10;
          events.send({.data = "a", .id = std::to_string(first), .retry = 2ms});
          events.send({.data = "b", .name = "other"});
        },
        unbounded);
    serving.start();
    client asking(serving.url(), {.timeout = 5s});
    event_source source(asking, "/events",
                        {.request = {.headers = {{"X-Own", "1"}}}, .last_id = "5", .retry_max = 1h});
    std::string seen;
    while (const auto one = source.next()) seen += one->data + one->name + one->id + " ";
    EXPECT_EQ(seen, "amessage10 bother10 amessage20 bother20 ");
    EXPECT_EQ(asked, (std::vector<std::string>{"5", "10", "20"}));
    EXPECT_EQ(source.last_id(), "20");
    EXPECT_EQ(source.retry(), 2ms);
    EXPECT_FALSE(source.next());
    EXPECT_EQ(asked.size(), 3u);
    serving.stop();
  });
}

TEST(event_source, connects_again_where_the_connection_breaks_and_drops_half_an_event) {
  run([] {
    net::listener there(net::endpoint::parse("127.0.0.1:0"));
    event got_whole;
    auto serving = go([&] {
      {
        raw_client first(there.accept());
        first.read_until("\r\n\r\n");
        first.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
            "id: 5\ndata: whole\n\nid: 6\ndata: half");
        got_whole.wait();
        const linger at_once{.l_onoff = 1, .l_linger = 0};  // closing resets the connection
        ::setsockopt(first.stream().fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      }
      there.accept().close();  // without an answer
      raw_client last(there.accept());
      std::string head = last.read_until("\r\n\r\n");
      last.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: next\n\n");
      last.read_to_end();
      return head;
    });
    {
      client asking("http://" + there.address().text());
      event_source source(asking, "/", quickly);
      EXPECT_EQ(source.next()->data, "whole");
      got_whole.set();
      EXPECT_EQ(source.next()->data, "next");
      EXPECT_EQ(source.last_id(), "5");
    }
    EXPECT_NE(serving.join().find("Last-Event-ID: 5\r\n"), std::string::npos);
  });
}

TEST(event_source, waits_for_a_server_that_is_away) {
  run([] {
    const weft_test::scratch_folder folder;
    const std::string place = "unix:" + (folder / "s");
    client asking(place);
    event_source source(asking, "/", quickly);
    EXPECT_THROW(with_timeout(30ms, [&] { source.next(); }), deadline_exceeded);
    server serving({.listen = place});
    serving.get(
        "/",
        [](request& in, response& out) {
          event_stream events(in, out);
          events.send("here");
          events.ended().wait();
        },
        unbounded);
    serving.start();
    EXPECT_EQ(source.next()->data, "here");
    EXPECT_THROW(with_timeout(5ms, [&] { source.next(); }), deadline_exceeded);
    EXPECT_FALSE(source.is_open());
    EXPECT_EQ(source.next()->data, "here");
    serving.stop();
  });
}

TEST(event_source, a_server_that_is_silent_or_does_not_answer_is_left) {
  run([] {
    server serving(on_any_port());
    int asked = 0;
    serving.get(
        "/",
        [&](request& in, response& out) {
          if (++asked == 1) sleep_for(1h);
          if (in.header("Last-Event-ID")) return void(out.status(204));
          event_stream events(in, out, {.keep_alive = 0ms});
          events.send({.data = "here", .id = "1"});
          events.ended().wait();
        },
        unbounded);
    serving.start();
    client asking(serving.url());
    event_source_options options = quickly;
    options.answer_within = options.silence_max = 300ms;
    event_source source(asking, "/", options);
    EXPECT_EQ(source.next()->data, "here");
    EXPECT_FALSE(source.next());
    EXPECT_GE(asked, 3);
    serving.stop();
  });
}

TEST(event_source, another_answer_is_an_error_and_the_end) {
  run([] {
    server serving(on_any_port());
    serving.get("/text", [] { return "data: no event\n\n"; });
    serving.get("/large",
                [](request& in, response& out) { event_stream(in, out).send(std::string(100, 'x')); });
    serving.start();
    client asking(serving.url());
    for (const char* const target : {"/text", "/nowhere", "/large"}) {
      event_source source(asking, target, {.retry = 1ms, .event_bytes_max = 50});
      const errc expected = target == std::string_view("/large") ? errc::too_large : errc::refused;
      message_of(expected, [&] { source.next(); });
      EXPECT_FALSE(source.next());
    }
    serving.stop();
  });
}

}  // namespace
}  // namespace weft::http
