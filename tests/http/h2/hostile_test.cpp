// Clients of HTTP/2 that do what no honest one does: each is answered or ended, and the server goes on.
#include <gtest/gtest.h>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/server.hpp>

#include "http/h2/frame_client.hpp"
#include "http/h2/stuffing.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

struct site {
  explicit site(server_options options = on_any_port()) : serving(std::move(options)) {
    serving.get("/", [this] { return ++calls, "here"; });
    serving.post("/", [this](request& in) { return ++calls, std::string(in.body()); });
    serving.get("/slow", [this] {
      ++calls;
      sleep_for(1h);
    });
    serving.start();
  }
  ~site() { serving.stop(); }
  void expect_alive() { EXPECT_EQ(h2_client(serving).get("/").body, "here"); }
  server serving;
  int calls = 0;
};

TEST(http2_hostile, frames_of_a_client_by_hand_are_answered) {
  run([] {
    site here;
    frame_client asking(here.serving);
    asking.get(1);
    EXPECT_EQ(asking.read_until(headers_type).stream, 1u);
    EXPECT_EQ(asking.read_until(data_type).payload, "here");
    asking.send({ping_type, 0, 0, "12345678"});
    EXPECT_EQ(asking.read_until(ping_type).payload, "12345678");
  });
}

TEST(http2_hostile, heads_that_http_1_would_refuse_are_refused) {
  run([] {
    site here;
    struct bad {
      const char* what;
      h2_client::fields head;
    };
    const std::vector<bad> all = {
        {"a connection field", with(good_get, "connection", "close")},
        {"keep-alive", with(good_get, "keep-alive", "1")},
        {"transfer-encoding", with(good_get, "transfer-encoding", "chunked")},
        {"upgrade", with(good_get, "upgrade", "websocket")},
        {"te other than trailers", with(good_get, "te", "gzip")},
        {"upper case", with(good_get, "X-Name", "1")},
        {"a space in a name", with(good_get, "x name", "1")},
        {"a colon in a name", with(good_get, "x:name", "1")},
        {"an empty name", with(good_get, "", "1")},
        {"a line break in a value", with(good_get, "x", "1\r\ny: 2")},
        {"a zero in a value", with(good_get, "x", std::string("a\0b", 3))},
        {"another host", with(good_get, "host", "other")},
        {"two hosts",
         [] {
           auto head = with(good_get, "host", "test");
           head.emplace_back("host", "test");
           return head;
         }()},
        {"a user in the authority", with(good_get, ":authority", "me@test")},
        {"a bad authority", with(good_get, ":authority", "a b")},
        {"no authority", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}},
        {"no path", {{":method", "GET"}, {":scheme", "http"}, {":authority", "test"}}},
        {"an empty path", with(good_get, ":path", "")},
        {"a path without a slash", with(good_get, ":path", "x")},
        {"an absolute path", with(good_get, ":path", "http://test/")},
        {"a fragment", with(good_get, ":path", "/#a")},
        {"a space in the path", with(good_get, ":path", "/ HTTP/1.1")},
        {"a line break in the path", with(good_get, ":path", "/\r\nx: y")},
        {"no method", {{":scheme", "http"}, {":authority", "test"}, {":path", "/"}}},
        {"a bad method", with(good_get, ":method", "G ET")},
        {"CONNECT", {{":method", "CONNECT"}, {":authority", "test"}}},
        {"another scheme", with(good_get, ":scheme", "ftp")},
        {"an unknown pseudo-header", with(good_get, ":status", "200")},
        {"a pseudo-header twice",
         [] {
           auto head = good_get;
           head.emplace_back(":path", "/x");
           return head;
         }()},
        {"a pseudo-header behind others",
         {{":method", "GET"}, {":scheme", "http"}, {"x", "y"}, {":authority", "test"}, {":path", "/"}}},
        {"a length without a body", with(good_get, "content-length", "4")},
        {"two lengths",
         [] {
           auto head = with(good_get, "content-length", "0");
           head.emplace_back("content-length", "0");
           return head;
         }()},
        {"a bad length", with(good_get, "content-length", "+0")},
        {"an expectation", with(good_get, "expect", "something")},
    };
    for (const bad& one : all) {
      frame_client asking(here.serving);
      asking.get(1, one.head);
      frame answer;
      do {
        answer = asking.read();
      } while (answer.type != headers_type && answer.type != reset_type && answer.type != go_away_type);
      if (answer.type == reset_type) {
        EXPECT_EQ(number_of(answer.payload), protocol_error) << one.what;
        EXPECT_EQ(answer.stream, 1u) << one.what;
      } else {
        EXPECT_EQ(answer.type, headers_type) << one.what;
        EXPECT_EQ(answer.stream, 1u);
      }
      EXPECT_EQ(here.calls, 0) << one.what;
      asking.get(3);  // the others of the connection go on
      EXPECT_EQ(asking.read_until(data_type).stream == 1 ? asking.read_until(data_type).payload : "here",
                "here")
          << one.what;
      while (here.calls == 0) yield();
      EXPECT_EQ(here.calls, 1) << one.what;
      here.calls = 0;
    }
    EXPECT_EQ(here.serving.statistics().refused_requests, all.size());
    EXPECT_EQ(here.serving.statistics().http2_violations, 0u);
  });
}

TEST(http2_hostile, bodies_and_their_lengths_have_to_agree) {
  run([] {
    site here;
    for (const auto& [length, body] : {std::pair("3", "four"), std::pair("5", "four")}) {
      frame_client asking(here.serving);
      auto head = with(good_get, ":method", "POST");
      asking.get(1, with(head, "content-length", length), end_headers);
      asking.send({data_type, end_stream, 1, body});
      EXPECT_EQ(number_of(asking.read_until(reset_type).payload), protocol_error);
    }
    frame_client asking(here.serving);
    asking.get(1, good_get, end_headers);
    asking.send({data_type, end_stream, 1, "a body of GET"});
    EXPECT_EQ(asking.read_until(headers_type).stream, 1u);
    EXPECT_EQ(asking.read_until(data_type).payload.substr(0, 11), "Bad Request");
    EXPECT_EQ(here.calls, 0);
    // One that turns out to have none is in order.
    asking.get(3, good_get, end_headers);
    asking.send({data_type, end_stream, 3, ""});
    EXPECT_EQ(asking.read_until(data_type).payload, "here");
    here.expect_alive();
  });
}

TEST(http2_hostile, trailers_that_only_a_header_may_have_are_refused) {
  run([] {
    site here;
    for (const auto& [name, value] :
         {std::pair("content-type", "a/b"), std::pair("host", "other"), std::pair("set-cookie", "a=b")}) {
      frame_client asking(here.serving);
      asking.get(1, with(good_get, ":method", "POST"), end_headers);
      asking.send({data_type, 0, 1, "body"});
      asking.send({headers_type, end_headers | end_stream, 1, packed({{name, value}})});
      asking.read_until(headers_type);
      EXPECT_EQ(asking.read_until(data_type).payload.substr(0, 11), "Bad Request") << name;
    }
    EXPECT_EQ(here.calls, 0);
  });
}

TEST(http2_hostile, large_heads_are_refused_and_endless_ones_end_the_connection) {
  run([] {
    site here({.listen = "127.0.0.1:0", .limits = {.head_bytes_max = 8192, .header_count_max = 20}});
    h2_client asking(here.serving);
    EXPECT_EQ(asking.get("/", {{"x", std::string(9000, 'x')}}).status, 431);
    EXPECT_EQ(asking.get("/" + std::string(8191, 'x')).status, 431);
    EXPECT_EQ(asking.get("/" + std::string(8000, 'x')).status, 404);
    h2_client::fields many;
    for (int i = 0; i < 21; ++i) many.emplace_back("x" + std::to_string(i), "y");
    EXPECT_EQ(asking.get("/", many).status, 431);
    EXPECT_EQ(asking.get("/").status, 200);
    EXPECT_EQ(asking.setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE), 8192u);

    // One entry of the table, named again and again: few bytes, and many fields.
    frame_client bomb(here.serving);
    const std::string value(3000, 'x');
    std::string block = packed(good_get);
    block += "\x40\x01x\x7f" + std::string(1, static_cast<char>((3000 - 127) % 128 + 128)) +
             std::string(1, static_cast<char>((3000 - 127) / 128)) + value;
    block += std::string(10'000, static_cast<char>(0x80 | 62));
    bomb.send({headers_type, end_headers | end_stream, 1, block});
    EXPECT_EQ(bomb.read_go_away(), enhance_your_calm);
    bomb.read_to_end();
    EXPECT_EQ(here.serving.statistics().http2_violations, 1u);
    here.expect_alive();
  });
}

TEST(http2_hostile, a_header_in_endless_pieces_ends_the_connection) {
  run([] {
    site here;
    frame_client asking(here.serving);
    asking.send({headers_type, end_stream, 1, packed(good_get)});
    asking.flood({continuation_type, 0, 1, packed({{"x", "y"}})}, 20'000);
    asking.read_to_end();
    frame_client empty(here.serving);
    empty.send({headers_type, end_stream, 1, packed(good_get)});
    empty.flood({continuation_type, 0, 1, ""}, 20'000);
    empty.read_to_end();
    EXPECT_EQ(here.calls, 0);
    EXPECT_EQ(here.serving.statistics().http2_violations, 2u);
    here.expect_alive();
  });
}

TEST(http2_hostile, a_header_that_does_not_go_on_is_not_waited_for) {
  run([] {
    site here({.listen = "127.0.0.1:0", .head_timeout = 50ms});
    frame_client asking(here.serving);
    asking.send({headers_type, end_stream, 1, packed(good_get)});
    asking.read_to_end();
    raw_client silent(here.serving);
    silent.send("PRI * HTTP/2.0\r\n\r\nSM");
    silent.read_to_end();
    frame_client nothing(here.serving);
    nothing.read_to_end();
  });
}

TEST(http2_hostile, what_runs_beside_a_header_that_does_not_go_on_is_finished) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .head_timeout = 1s});
    event go_on;
    serving.get("/", [&] {
      go_on.wait();
      return "here";
    });
    serving.start();
    frame_client asking(serving);
    asking.get(1);
    asking.send({headers_type, end_stream, 3, packed(good_get)});
    EXPECT_EQ(asking.read_go_away(), enhance_your_calm);
    go_on.set();
    EXPECT_EQ(asking.read_until(data_type).payload, "here");
    asking.read_to_end();
    EXPECT_EQ(serving.statistics().abandoned_requests, 0u);
    serving.stop();
  });
}

TEST(http2_hostile, requests_that_are_given_up_at_once_and_again_end_the_connection) {
  run([] {
    site here;
    frame_client asking(here.serving);
    std::string many;
    for (std::uint32_t id = 1; id < 4001; id += 2) {
      many +=
          bytes_of({headers_type, end_headers | end_stream, id, packed(with(good_get, ":path", "/slow"))});
      many += bytes_of({reset_type, 0, id, number(8, 4)});
    }
    asking.flood(many);
    asking.read_to_end();
    EXPECT_EQ(here.serving.statistics().http2_violations, 1u);
    EXPECT_LE(here.calls, 500);
    here.expect_alive();
  });
}

TEST(http2_hostile, requests_that_the_server_is_made_to_reset_end_the_connection) {
  run([] {
    const auto ways = {std::pair(window_type, number(0x7fff'ffff, 4)),
                       std::pair(headers_type, packed({{"a trailer", "x"}}))};
    for (const auto& [type, payload] : ways) {
      site here({.listen = "127.0.0.1:0", .http2 = {.resets_max = 50}});
      here.serving.post("/slow", [] { sleep_for(1h); }, {.streams_body = true});
      frame_client asking(here.serving);
      const auto head = with(with(good_get, ":path", "/slow"), ":method", "POST");
      std::string many;
      for (std::uint32_t id = 1; id < 401; id += 2) {
        many += bytes_of({headers_type, end_headers, id, packed(head)});
        many += bytes_of({type, end_headers | (type == headers_type ? end_stream : 0), id, payload});
      }
      asking.flood(many);
      EXPECT_EQ(asking.read_go_away(), enhance_your_calm);
      asking.read_to_end();
      EXPECT_EQ(here.serving.statistics().http2_violations, 1u) << type;
    }
  });
}

TEST(http2_hostile, the_bounds_are_those_of_the_options) {
  run([] {
    site here({.listen = "127.0.0.1:0",
               .limits = {.header_count_max = 1000},
               .http2 = {.resets_max = 100'000, .control_frames_max = 100'000}});
    frame_client asking(here.serving);
    std::string many;
    for (std::uint32_t id = 1; id < 8001; id += 2) {
      many +=
          bytes_of({headers_type, end_headers | end_stream, id, packed(with(good_get, ":path", "/slow"))});
      many += bytes_of({reset_type, 0, id, number(8, 4)});
    }
    asking.flood(many);
    asking.send({ping_type, 0, 0, "12345678"});
    EXPECT_EQ(asking.read_until(ping_type).payload, "12345678");
    frame_client other(here.serving);
    other.send({headers_type, end_stream, 1, packed(good_get)});
    for (int i = 0; i < 50; ++i)
      other.send({continuation_type, i == 49 ? end_headers : 0, 1, packed({{"x" + std::to_string(i), "y"}})});
    EXPECT_EQ(other.read_until(data_type).payload, "here");
    EXPECT_EQ(here.serving.statistics().http2_violations, 0u);
  });
}

TEST(http2_hostile, who_gives_up_with_an_error_gives_up_once) {
  run([] {
    site here({.listen = "127.0.0.1:0", .http2 = {.resets_max = 10}});
    frame_client asking(here.serving);
    for (std::uint32_t id = 1; id < 17; id += 2) {
      asking.get(id, with(good_get, ":path", "/slow"));
      asking.send({reset_type, 0, id, number(protocol_error, 4)});
    }
    asking.get(17);
    EXPECT_EQ(asking.read_until(data_type).payload, "here");
    EXPECT_EQ(here.serving.statistics().refused_requests, 0u);
  });
}

TEST(http2_hostile, requests_beyond_the_allowed_end_the_connection) {
  run([] {
    site here({.listen = "127.0.0.1:0", .http2 = {.streams_max = 5}});
    frame_client asking(here.serving);  // it does not say that it has seen the bound
    std::string many;
    for (std::uint32_t id = 1; id < 4001; id += 2)
      many +=
          bytes_of({headers_type, end_headers | end_stream, id, packed(with(good_get, ":path", "/slow"))});
    asking.flood(many);
    EXPECT_EQ(asking.read_go_away(), enhance_your_calm);
    asking.read_to_end();
    EXPECT_EQ(here.serving.statistics().http2_violations, 1u);
    here.expect_alive();
  });
}

TEST(http2_hostile, what_waits_for_a_client_that_does_not_read_is_bounded) {
  run([] {
    stuffing endless;
    server serving({.listen = "127.0.0.1:0", .http2 = {.streams_max = 5, .resets_max = 1'000'000'000}});
    endless.serve_on(serving);
    serving.get("/slow", [] { sleep_for(1h); });
    serving.start();
    frame_client asking(serving);
    endless.stuff(asking);
    // The system may still find room for some of the answers.
    for (std::uint32_t id = 3; serving.statistics().http2_violations == 0 && id < 200'000;) {
      std::string many;
      for (const std::uint32_t end = id + 1000; id < end; id += 2)
        many +=
            bytes_of({headers_type, end_headers | end_stream, id, packed(with(good_get, ":path", "/slow"))});
      asking.flood(many);
      sleep_for(2ms);
    }
    EXPECT_GT(serving.statistics().http2_violations, 0U);
    endless.end();
    asking.read_to_end();
    serving.stop();
  });
}

TEST(http2_hostile, who_waits_for_handlers_that_last_is_not_blamed) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .http2 = {.streams_max = 2, .resets_max = 10}});
    int running = 0;
    event go_on;
    serving.get("/",
                [&] {
                  ++running;
                  go_on.wait();
                },
                {.ends_with_client = false});
    serving.start();
    frame_client asking(serving);
    for (std::uint32_t id = 1; id < 9; id += 2) {
      asking.get(id);
      while (running < static_cast<int>(id / 2 + 1)) yield();
      asking.send({reset_type, 0, id, number(8, 4)});
    }
    for (std::uint32_t id = 9; id < 49; id += 2) {
      asking.get(id);
      const frame answer = asking.read_until(reset_type);
      EXPECT_EQ(answer.stream, id);
      EXPECT_EQ(number_of(answer.payload), refused_stream);
    }
    EXPECT_EQ(running, 4);
    EXPECT_EQ(serving.statistics().http2_violations, 0u);
    go_on.set();
    serving.stop();
  });
}

TEST(http2_hostile, handlers_that_do_not_see_their_end_bound_what_may_be_begun) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .http2 = {.streams_max = 10}});
    int running = 0;
    event go_on;
    serving.get("/",
                [&] {
                  ++running;
                  go_on.wait();
                },
                {.ends_with_client = false});
    serving.start();
    h2_client asking(serving);
    for (int round = 0; round < 10; ++round) {
      std::vector<int> ids;
      for (int i = 0; i < 10; ++i) ids.push_back(asking.ask("GET", "/"));
      asking.send();
      const int before = running;
      while (running < std::min(20, before + 10)) yield();
      for (const int id : ids) asking.reset(id);
      asking.send();
    }
    const int last = asking.ask("GET", "/");
    EXPECT_EQ(asking.wait(last).error, refused_stream);
    EXPECT_EQ(running, 20);
    go_on.set();
    serving.stop();
  });
}

TEST(http2_hostile, floods_of_frames_that_carry_nothing_end_the_connection) {
  run([] {
    struct flood {
      const char* what;
      frame one;
      bool in_request;
    };
    const std::vector<flood> all = {
        {"PING", {ping_type, 0, 0, "12345678"}, false},
        {"SETTINGS", {settings_type, 0, 0, ""}, false},
        {"PRIORITY", {priority_type, 0, 5, number(0, 4) + "\x01"}, false},
        {"empty DATA", {data_type, 0, 1, ""}, true},
        {"WINDOW_UPDATE", {window_type, 0, 0, number(1, 4)}, false},
        {"padded DATA", {data_type, 8, 1, std::string("\4\0\0\0\0", 5)}, true},
        {"PING's answer", {ping_type, ack, 0, "12345678"}, false},
        {"an unknown type", {0x42, 0, 0, "x"}, false},
    };
    for (const flood& each : all) {
      site here;
      frame_client asking(here.serving);
      if (each.in_request) asking.get(1, with(good_get, ":method", "POST"), end_headers);
      asking.flood(each.one, 20'000);
      asking.read_to_end();
      EXPECT_EQ(here.serving.statistics().http2_violations, 1u) << each.what;
      EXPECT_EQ(here.calls, 0);
      here.expect_alive();
    }
  });
}

TEST(http2_hostile, a_flood_whose_answers_nobody_reads_takes_no_memory) {
  run([] {
    site here(
        {.listen = "127.0.0.1:0", .http2 = {.control_frames_max = 1'000'000'000}, .write_timeout = 500ms});
    frame_client asking(here.serving);
    asking.raw().stream().set_receive_buffer(4096);
    asking.flood({ping_type, 0, 0, "12345678"}, 1'000'000);
    while (here.serving.statistics().connections > 0) sleep_for(5ms);
    here.expect_alive();
  });
}

TEST(http2_hostile, broken_frames_end_the_connection) {
  run([] {
    site here;
    struct broken {
      const char* what;
      std::string bytes;
      std::uint32_t error;
    };
    const std::vector<broken> all = {
        {"DATA on no stream", bytes_of({data_type, 0, 0, "x"}), protocol_error},
        {"DATA on an idle stream", bytes_of({data_type, 0, 1, "x"}), protocol_error},
        {"an even stream", bytes_of({headers_type, end_headers | end_stream, 2, packed(good_get)}),
         protocol_error},
        {"CONTINUATION of nothing", bytes_of({continuation_type, end_headers, 1, ""}), protocol_error},
        {"RST_STREAM of an idle stream", bytes_of({reset_type, 0, 7, number(8, 4)}), protocol_error},
        {"bad HPACK", bytes_of({headers_type, end_headers | end_stream, 1, "\xff\xff\xff\xff\xff\xff"}),
         compression_error},
        {"an index that is not there", bytes_of({headers_type, end_headers | end_stream, 1, "\xfe"}),
         compression_error},
        {"another frame within a header",
         bytes_of({headers_type, 0, 1, packed(good_get)}) + bytes_of({ping_type, 0, 0, "12345678"}),
         protocol_error},
        {"PING of another length", bytes_of({ping_type, 0, 0, "1234"}), 6},
        {"too large a frame", bytes_of({data_type, 0, 1, std::string(17'000, 'x')}), 6},
        {"a window of nothing", bytes_of({window_type, 0, 0, number(0, 4)}), protocol_error},
        {"a window that runs over", bytes_of({window_type, 0, 0, number(0x7fffffff, 4)}), 3},
        {"a pushed request", bytes_of({5, end_headers, 1, number(2, 4) + packed(good_get)}), protocol_error},
        {"settings that are none", bytes_of({settings_type, 0, 0, "12345"}), 6},
    };
    for (const broken& one : all) {
      frame_client asking(here.serving);
      asking.raw().send(one.bytes);
      EXPECT_EQ(asking.read_go_away(), one.error) << one.what;
      asking.read_to_end();
    }
    EXPECT_EQ(here.serving.statistics().http2_violations, all.size());
    EXPECT_EQ(here.calls, 0);
    here.expect_alive();
  });
}

TEST(http2_hostile, another_preface_ends_the_connection) {
  run([] {
    site here;
    raw_client asking(here.serving);
    asking.send("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\nand more of that");
    asking.read_to_end();
    here.expect_alive();
  });
}

TEST(http2_hostile, what_a_window_does_not_allow_is_refused) {
  run([] {
    site here({.listen = "127.0.0.1:0", .http2 = {.stream_window_bytes = 1000}});
    server& serving = here.serving;
    frame_client asking(serving);
    asking.read_until(settings_type);
    asking.send({settings_type, ack, 0, ""});
    asking.get(1, with(good_get, ":method", "POST"), end_headers);
    asking.send({data_type, 0, 1, std::string(5000, 'x')});
    const frame answer = asking.read_until(reset_type);
    EXPECT_EQ(number_of(answer.payload), 3u);  // FLOW_CONTROL_ERROR
    EXPECT_EQ(here.calls, 0);
  });
}

TEST(http2_hostile, more_requests_than_allowed_are_not_served) {
  run([] {
    site here({.listen = "127.0.0.1:0", .http2 = {.streams_max = 5}});
    frame_client asking(here.serving);
    asking.read_until(settings_type);
    asking.send({settings_type, ack, 0, ""});
    for (std::uint32_t id = 1; id < 41; id += 2) asking.get(id, with(good_get, ":path", "/slow"));
    EXPECT_NE(asking.read_go_away(), no_error);
    EXPECT_LE(here.calls, 5);
    asking.read_to_end();
    here.expect_alive();
  });
}

TEST(http2_hostile, any_bytes_are_survived) {
  run([] {
    site here;
    std::uint32_t state = 12345;
    const auto next = [&] { return state = state * 1664525 + 1013904223, state >> 8; };
    for (int round = 0; round < 200; ++round) {
      frame_client asking(here.serving);
      std::string bytes;
      for (int i = 0; i < 30; ++i) {
        frame one{.type = static_cast<int>(next() % 11),
                  .flags = static_cast<int>(next() % 64),
                  .stream = next() % 8,
                  .payload = {}};
        if (one.type == headers_type && next() % 4 != 0) {
          one.payload = packed(good_get);
          one.flags = static_cast<int>(next() % 2) | end_headers;
        } else {
          for (auto left = next() % 40; left > 0; --left) one.payload += static_cast<char>(next());
        }
        bytes += bytes_of(one);
      }
      asking.flood(bytes);
      asking.raw().stream().shutdown_write();
      asking.read_to_end();
    }
    while (here.serving.statistics().connections > 0) sleep_for(5ms);
    here.expect_alive();
  });
}

}  // namespace
}  // namespace weft::http
