// What is the same over HTTP/2: handlers, routes, bodies, errors, records.
#include <gtest/gtest.h>

#include <fstream>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/compression.hpp>
#include <weft/http/event_stream.hpp>
#include <weft/http/health.hpp>
#include <weft/http/server.hpp>
#include <weft/http/static_files.hpp>
#include <weft/http/status_error.hpp>
#include <weft/http/websocket.hpp>
#include <weft/log/collector.hpp>

#include "http/h2/h2_client.hpp"
#include "http/raw_client.hpp"
#include "support/expect_error.hpp"
#include "support/scratch_folder.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

TEST(http2_requests, a_handler_sees_what_it_sees_over_http_1) {
  run([] {
    server serving(on_any_port());
    serving.get("/users/{id}", [](request& in, response& out) {
      out.header("X-Seen", std::string(in.host()) + " " + std::string(*in.header("host")) + " " +
                               std::string(in.header("User-Agent").value_or("")) + " " +
                               std::string(in.cookie("b").value_or("")));
      out.body("user " + in.param("id") + " " + *in.query<std::string>("q") + " " + std::string(in.target()) +
               " " + in.peer().text().substr(0, 10));
    });
    serving.start();
    h2_client asking(serving);
    const auto& answer =
        asking.get("/users/7?q=x%20y", {{"user-agent", "h2"}, {"cookie", "a=1"}, {"cookie", "b=2"}});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "user 7 x y /users/7?q=x%20y 127.0.0.1:");
    EXPECT_EQ(answer.header("x-seen"), "test test h2 2");
    EXPECT_EQ(answer.header("content-length"), std::to_string(answer.body.size()));
    EXPECT_EQ(answer.header("content-type"), "text/plain; charset=utf-8");
    EXPECT_EQ(answer.header("x-request-id").size(), 15u);
    EXPECT_FALSE(answer.header("date").empty());
    EXPECT_EQ(answer.error, 0u);
    EXPECT_EQ(serving.statistics().http2_connections, 1u);
    EXPECT_EQ(serving.statistics().requests, 1u);
    EXPECT_EQ(serving.statistics().http2_violations, 0u);
    serving.stop();
  });
}

TEST(http2_requests, requests_of_one_connection_run_side_by_side) {
  run([] {
    server serving(on_any_port());
    event go_on;
    int running = 0, most = 0;
    serving.get("/wait", [&] {
      most = std::max(most, ++running);
      if (running == 50) go_on.set();
      go_on.wait();
      --running;
    });
    serving.start();
    h2_client asking(serving);
    std::vector<int> ids;
    for (int i = 0; i < 50; ++i) ids.push_back(asking.ask("GET", "/wait"));
    for (const int id : ids) EXPECT_EQ(asking.wait(id).status, 200);
    EXPECT_EQ(most, 50);
    serving.stop();
  });
}

TEST(http2_requests, errors_of_handlers_are_answers) {
  run([] {
    server serving(on_any_port());
    serving.get("/throws", [] { throw std::runtime_error("secret"); });
    serving.get("/says", []() -> std::string { throw status_error(409, "not now"); });
    serving.get("/slow", [] { sleep_for(1h); }, {.handler_timeout = 50ms});
    serving.start();
    h2_client asking(serving);
    EXPECT_EQ(asking.get("/throws").status, 500);
    EXPECT_EQ(asking.get("/says").status, 409);
    EXPECT_EQ(asking.get("/slow").status, 503);
    EXPECT_EQ(asking.get("/nowhere").status, 404);
    EXPECT_EQ(asking.wait(asking.ask("PUT", "/says")).status, 405);
    EXPECT_EQ(asking.get("/says").header("content-length"), "8");
    serving.stop();
  });
}

TEST(http2_requests, a_head_request_and_an_empty_answer_have_no_body) {
  run([] {
    server serving(on_any_port());
    serving.get("/text", [] { return "hello"; });
    serving.get("/streamed", [](response& out) {
      out.length(6);
      out.write("abc");
      out.write("def");
    });
    serving.get("/nothing", [](response& out) { out.status(204); });
    serving.start();
    h2_client asking(serving);
    const auto& text = asking.wait(asking.ask("HEAD", "/text"));
    EXPECT_EQ(text.status, 200);
    EXPECT_EQ(text.header("content-length"), "5");
    EXPECT_EQ(text.body, "");
    const auto& streamed = asking.wait(asking.ask("HEAD", "/streamed"));
    EXPECT_EQ(streamed.header("content-length"), "6");
    EXPECT_EQ(streamed.body, "");
    EXPECT_EQ(asking.get("/nothing").status, 204);
    EXPECT_EQ(asking.get("/streamed").body, "abcdef");
    EXPECT_EQ(asking.get("/streamed").header("content-length"), "6");
    serving.stop();
  });
}

TEST(http2_requests, bodies_come_whole_or_in_pieces_and_have_trailers) {
  run([] {
    server serving(on_any_port());
    serving.post("/whole", [](request& in) {
      return std::string(in.body()) + std::string(in.trailer("x-sum").value_or("none"));
    });
    serving.post("/pieces",
                 [](request& in) {
                   std::string all;
                   for (std::string_view piece; !(piece = in.read_body()).empty();) all += piece;
                   return all + std::string(in.trailer("x-sum").value_or("none"));
                 },
                 {.streams_body = true});
    serving.start();
    h2_client asking(serving);
    for (const char* const path : {"/whole", "/pieces"}) {
      EXPECT_EQ(asking.wait(asking.ask("POST", path, {{"content-length", "5"}}, "hello")).body, "hellonone");
      const int id = asking.ask("POST", path, {}, "one ", true);
      asking.more(id, "two ");
      asking.end(id, {{"x-sum", "3"}});
      EXPECT_EQ(asking.wait(id).body, "one two 3");
      EXPECT_EQ(asking.wait(asking.ask("POST", path)).body, "none");
    }
    serving.stop();
  });
}

TEST(http2_requests, a_client_that_waits_for_continue_is_asked_for_its_body) {
  run([] {
    server serving(on_any_port());
    serving.post("/", [](request& in) { return std::string(in.body()); });
    serving.start();
    h2_client asking(serving);
    const int id = asking.ask("POST", "/", {{"expect", "100-continue"}}, "", true);
    asking.drive_until([&] { return !asking.now(id).interim.empty(); });
    EXPECT_EQ(asking.now(id).interim, std::vector<int>{100});
    asking.more(id, "here");
    asking.end(id);
    EXPECT_EQ(asking.wait(id).body, "here");
    serving.stop();
  });
}

TEST(http2_requests, a_streamed_answer_has_trailers_for_who_takes_them) {
  run([] {
    server serving(on_any_port());
    serving.get("/", [](response& out) {
      out.write("body");
      out.trailer("X-Sum", "4");
    });
    serving.start();
    h2_client asking(serving);
    EXPECT_EQ(asking.get("/", {{"te", "trailers"}}).trailers, (h2_client::fields{{"x-sum", "4"}}));
    EXPECT_TRUE(asking.get("/").trailers.empty());
    EXPECT_EQ(asking.get("/").body, "body");
    serving.stop();
  });
}

TEST(http2_requests, pieces_arrive_as_they_are_written) {
  run([] {
    server serving(on_any_port());
    event next;
    serving.get("/", [&](response& out) {
      out.write("first");
      next.wait();
      out.write("second");
    });
    serving.start();
    h2_client asking(serving);
    const int id = asking.ask("GET", "/");
    asking.drive_until([&] { return asking.now(id).body == "first"; });
    EXPECT_FALSE(asking.now(id).has_ended);
    next.set();
    EXPECT_EQ(asking.wait(id).body, "firstsecond");
    serving.stop();
  });
}

TEST(http2_requests, an_answer_that_is_cut_off_is_reset) {
  run([] {
    server serving(on_any_port());
    serving.get("/fails", [](response& out) {
      out.write("part");
      throw std::runtime_error("no more");
    });
    serving.get("/short", [](response& out) {
      out.length(10);
      out.write("part");
    });
    serving.start();
    h2_client asking(serving);
    for (const char* const path : {"/fails", "/short"}) {
      const auto& answer = asking.get(path);
      EXPECT_EQ(answer.body, "part") << path;
      EXPECT_FALSE(answer.has_ended) << path;
      EXPECT_EQ(answer.error, std::uint32_t{NGHTTP2_INTERNAL_ERROR}) << path;
    }
    EXPECT_EQ(serving.statistics().connections, 1u);  // the others go on
    serving.stop();
  });
}

TEST(http2_requests, files_compression_and_middleware_work) {
  run([] {
    weft_test::scratch_folder files;
    const std::string text(300'000, 'x');
    std::ofstream(files / "large.txt") << text;
    server serving(on_any_port());
    serving.use(compress());
    serving.use([](request&, response& out, next& next) {
      next();
      out.header("X-Around", "yes");
    });
    serving.get("/files/{path...}", static_files(files.path()));
    serving.get("/packed", [&text](response& out) { out.content_type("text/plain").body(text); });
    serving.start();
    h2_client asking(serving);
    const auto& file = asking.get("/files/large.txt");
    EXPECT_EQ(file.body, text);
    EXPECT_EQ(file.header("content-length"), "300000");
    const auto& part = asking.get("/files/large.txt", {{"range", "bytes=10-19"}});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body.size(), 10u);
    const auto& packed = asking.get("/packed", {{"accept-encoding", "gzip"}});
    EXPECT_EQ(packed.header("content-encoding"), "gzip");
    EXPECT_LT(packed.body.size(), 10'000u);
    EXPECT_EQ(packed.header("x-around"), "yes");
    serving.stop();
  });
}

TEST(http2_requests, events_are_sent_until_the_client_has_enough) {
  run([] {
    server serving(on_any_port());
    event ended;
    serving.get("/",
                [&](request& in, response& out) {
                  event_stream events(in, out);
                  try {
                    for (int tick = 1; events.wait_for(5ms); ++tick)
                      events.send({.data = std::to_string(tick)});
                  } catch (...) {
                    ended.set();
                    throw;
                  }
                  ended.set();
                },
                {.handler_timeout = 0ms});
    serving.start();
    h2_client asking(serving);
    const int id = asking.ask("GET", "/");
    asking.drive_until([&] { return count_of(asking.now(id).body, "data:") >= 3; });
    asking.reset(id);
    asking.send();
    EXPECT_TRUE(ended.wait_for(20s));
    serving.stop();
  });
}

TEST(http2_requests, what_is_too_much_is_turned_away_and_health_checks_are_not) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .requests_max = 2});
    health checks;
    checks.serve_on(serving);
    event go_on;
    serving.get("/", [&] { go_on.wait(); });
    serving.start();
    h2_client asking(serving);
    std::vector<int> ids;
    for (int i = 0; i < 5; ++i) ids.push_back(asking.ask("GET", "/"));
    for (std::size_t i = 2; i < 5; ++i) {
      EXPECT_EQ(asking.wait(ids[i]).status, 503);
      EXPECT_EQ(asking.now(ids[i]).header("retry-after"), "1");
    }
    EXPECT_EQ(asking.get("/livez").status, 200);
    EXPECT_EQ(asking.get("/readyz").status, 200);
    go_on.set();
    EXPECT_EQ(asking.wait(ids[0]).status, 200);
    EXPECT_EQ(asking.wait(ids[1]).status, 200);
    EXPECT_EQ(serving.statistics().shed_requests, 3u);
    serving.stop();
  });
}

TEST(http2_requests, a_websocket_is_refused) {
  run([] {
    server serving(on_any_port());
    serving.get("/", [](request& in, response& out) { accept_websocket(in, out); });
    serving.start();
    h2_client asking(serving);
    const int status =
        asking.get("/", {{"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="}, {"sec-websocket-version", "13"}})
            .status;
    EXPECT_GE(status, 400);
    serving.stop();
  });
}

TEST(http2_requests, the_access_log_has_them) {
  run([] {
    log::collector kept;
    {
      server serving({.listen = "127.0.0.1:0", .access_log = true});
      serving.get("/hello/{name}", [] { return "hello"; });
      serving.start();
      h2_client asking(serving);
      asking.get("/hello/you");
      serving.stop();
    }
    std::vector<log::record> served;
    for (log::record& one : kept.take()) {
      if (one.message == "http: served") served.push_back(std::move(one));
    }
    ASSERT_EQ(served.size(), 1u);
    const auto text_of = [&](std::string_view name) {
      for (const log::field& one : served[0].fields) {
        if (one.name == name) return std::get<std::string>(one.value);
      }
      return std::string();
    };
    EXPECT_EQ(text_of("route"), "/hello/{name}");
    EXPECT_EQ(text_of("target"), "/hello/you");
    EXPECT_TRUE(text_of("peer").starts_with("127.0.0.1:"));
  });
}

TEST(http2_requests, http_1_is_spoken_beside_it_and_alone_where_it_is_off) {
  run([] {
    for (const bool is_on : {true, false}) {
      server serving({.listen = "127.0.0.1:0", .http2 = {.enabled = is_on}});
      serving.get("/", [] { return "hello"; });
      serving.start();
      EXPECT_EQ(client(serving.url()).get("/").body(), "hello");
      const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
      if (is_on) {
        EXPECT_EQ(h2_client(serving).get("/").body, "hello");
      } else {
        EXPECT_NE(raw_client(serving).ask(preface).find("HTTP/1.1 505"), std::string::npos);
      }
      // Only as the first thing on a connection.
      const std::string late = raw_client(serving).ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n" + preface);
      EXPECT_NE(late.find("HTTP/1.1 505"), std::string::npos) << late;
      EXPECT_EQ(serving.statistics().http2_connections, is_on ? 1u : 0u);
      serving.stop();
    }
  });
}

TEST(http2_requests, bounds_that_http_2_cannot_have_are_refused) {
  run([] {
    for (const http2_options& wrong :
         {http2_options{.streams_max = 0}, http2_options{.stream_window_bytes = 0x8000'0000},
          http2_options{.connection_window_bytes = 1000}, http2_options{.frame_bytes_max = 1000},
          http2_options{.frame_bytes_max = 16 * 1024 * 1024}, http2_options{.resets_max = 0},
          http2_options{.control_frames_max = 0}}) {
      server serving({.listen = "127.0.0.1:0", .http2 = wrong});
      message_of(errc::invalid_argument, [&] { serving.start(); });
    }
  });
}

}  // namespace
}  // namespace weft::http
