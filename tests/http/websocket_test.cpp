#include <weft/http/websocket.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>
#include <weft/log/collector.hpp>

#include "http/raw_client.hpp"
#include "http/websocket/frame.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using detail::opcode;

const std::string handshake =
    "GET /s HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A frame of a client.
std::string frame(opcode what, std::string_view payload, bool is_final = true) {
  const detail::frame_mask mask{'m', 'a', 's', 'k'};
  std::string bytes;
  detail::append_frame_head(
      bytes, {.what = what, .is_final = is_final, .payload_bytes = payload.size(), .mask = mask});
  const std::size_t begin = bytes.size();
  bytes += payload;
  detail::apply_mask(bytes.data() + begin, payload.size(), mask, 0);
  return bytes;
}
/// A frame of a server.
std::string plain_frame(opcode what, std::string_view payload) {
  std::string bytes;
  detail::append_frame_head(bytes,
                            {.what = what, .is_final = true, .payload_bytes = payload.size(), .mask = {}});
  return bytes.append(payload);
}
std::string code_text(int code) { return {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)}; }
std::string close_frame(int code) { return plain_frame(opcode::close, code_text(code)); }

void echo(websocket& socket) {
  while (auto message = socket.read()) {
    if (message->kind == websocket_kind::text) {
      socket.send(message->data);
    } else {
      socket.send_binary(message->data);
    }
  }
}

/// Runs `test` with a server that has a WebSocket at /s.
template <typename Handler, typename Test>
void with_socket(Handler&& handler, Test&& test, websocket_options options = {}) {
  run([&] {
    server serving(on_any_port());
    serving.websocket("/s", handler, options);
    serving.start();
    test(serving);
    serving.stop();
  });
}

std::string url_of(const server& serving) { return "ws://" + serving.address().text() + "/s"; }

/// A raw client behind its handshake.
std::unique_ptr<raw_client> open_raw(const server& serving) {
  auto made = std::make_unique<raw_client>(serving);
  made->send(handshake);
  made->read_until("\r\n\r\n");
  return made;
}

TEST(http_websocket, answers_the_handshake_of_the_standard) {
  with_socket(echo, [](server& serving) {
    raw_client asking(serving);
    asking.send(handshake);
    const std::string answer = asking.read_until("\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 101 Switching Protocols\r\n")) << answer;
    EXPECT_NE(answer.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), std::string::npos)
        << answer;
  });
}

TEST(http_websocket, the_handler_may_ask_who_the_peer_is) {
  with_socket([](websocket& socket, request& in) { socket.send(in.peer().host()); },
              [](server& serving) {
                auto socket = websocket::connect(url_of(serving));
                EXPECT_EQ(socket.read()->data, "127.0.0.1");
              });
}

TEST(http_websocket, messages_of_any_size_come_back) {
  with_socket(echo, [](server& serving) {
    auto socket = websocket::connect(url_of(serving));
    for (const std::size_t size : {0u, 1u, 125u, 126u, 65'535u, 65'536u, 1'000'000u}) {
      std::string sent(size, 'x');
      for (std::size_t i = 0; i < size; ++i) sent[i] = static_cast<char>('a' + i % 26);
      socket.send(sent);
      auto got = socket.read();
      ASSERT_TRUE(got);
      EXPECT_EQ(got->kind, websocket_kind::text);
      EXPECT_TRUE(got->data == sent);
      sent += "\xff\0"s;
      socket.send_binary(sent);
      got = socket.read();
      ASSERT_TRUE(got);
      EXPECT_EQ(got->kind, websocket_kind::binary);
      EXPECT_TRUE(got->data == sent);
    }
    socket.close(4000, "enough");
    EXPECT_EQ(socket.close_code(), 4000);
    EXPECT_FALSE(socket.read());
    EXPECT_FALSE(socket.is_open());
  });
}

TEST(http_websocket, the_handler_sees_how_the_client_closed) {
  int code = 0;
  std::string reason;
  with_socket(
      [&](websocket& socket, request& in) {
        EXPECT_EQ(in.path(), "/s");
        EXPECT_FALSE(socket.read());
        code = socket.close_code();
        reason = socket.close_reason();
        EXPECT_THROW(socket.send("late"), error);
      },
      [](server& serving) { websocket::connect(url_of(serving)).close(3001, "g\u00fcnstig"); });
  EXPECT_EQ(code, 3001);
  EXPECT_EQ(reason, "g\u00fcnstig");
}

TEST(http_websocket, is_closed_when_its_handler_returns) {
  with_socket([](websocket& socket) { socket.send("bye"); },
              [](server& serving) {
                auto socket = websocket::connect(url_of(serving));
                EXPECT_EQ(socket.read()->data, "bye");
                EXPECT_FALSE(socket.read());
                EXPECT_EQ(socket.close_code(), 1000);
              });
}

TEST(http_websocket, is_closed_with_1011_when_its_handler_fails) {
  with_socket([](websocket&) { throw std::runtime_error("no"); },
              [](server& serving) {
                auto socket = websocket::connect(url_of(serving));
                EXPECT_FALSE(socket.read());
                EXPECT_EQ(socket.close_code(), 1011);
              });
}

TEST(http_websocket, frames_may_come_with_the_handshake_and_byte_by_byte) {
  with_socket(echo, [](server& serving) {
    raw_client asking(serving);
    const std::string bytes = handshake + frame(opcode::text, "first") + frame(opcode::text, "se", false) +
                              frame(opcode::ping, "alive?") + frame(opcode::continuation, "", false) +
                              frame(opcode::pong, "unasked") + frame(opcode::continuation, "cond");
    const std::string expected = plain_frame(opcode::text, "first") + plain_frame(opcode::pong, "alive?") +
                                 plain_frame(opcode::text, "second");
    asking.send(bytes);
    asking.read_until("\r\n\r\n");
    EXPECT_EQ(asking.read_until("second"), expected);
    raw_client slow(serving);
    for (const char one : bytes) {
      slow.send({&one, 1});
      yield();
    }
    slow.read_until("\r\n\r\n");
    EXPECT_EQ(slow.read_until("second"), expected);
  });
}

struct bad_frames {
  const char* name;
  std::string bytes;
  int code;
};

const bad_frames all_bad_frames[] = {
    {"without_a_mask", plain_frame(opcode::text, "x"), 1002},
    {"a_reserved_bit", "\xc1\x80mask"s, 1002},
    {"an_unknown_opcode", "\x83\x80mask"s, 1002},
    {"a_ping_in_pieces", frame(opcode::ping, "x", false), 1002},
    {"a_continuation_of_nothing", frame(opcode::continuation, "x"), 1002},
    {"a_message_in_a_message", frame(opcode::text, "x", false) + frame(opcode::text, "y"), 1002},
    {"half_a_close_code", frame(opcode::close, "x"), 1002},
    {"a_close_code_that_is_reserved", frame(opcode::close, code_text(1005)), 1002},
    {"a_close_code_of_nobody", frame(opcode::close, code_text(2000)), 1002},
    {"a_close_reason_that_is_not_utf_8", frame(opcode::close, code_text(1000) + "\xff"), 1007},
    {"text_that_is_not_utf_8", frame(opcode::text, "a\xc0\x80"), 1007},
    {"text_that_is_cut_in_a_character", frame(opcode::text, "\xe2\x82"), 1007},
    {"a_large_message", frame(opcode::binary, std::string(101, 'x')), 1009},
    {"a_large_message_in_pieces",
     frame(opcode::binary, std::string(60, 'x'), false) + frame(opcode::continuation, std::string(41, 'x')),
     1009},
    {"a_length_that_is_not_sent", "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xffmask"s, 1009},
};

class refused_frames : public testing::TestWithParam<bad_frames> {};

TEST_P(refused_frames, close_the_connection_and_are_an_error_of_the_read) {
  errc code{};
  with_socket(
      [&](websocket& socket) {
        try {
          socket.read();
        } catch (const error& refused) {
          code = refused.code();
          throw;
        }
      },
      [](server& serving) {
        auto asking = open_raw(serving);
        asking->send(GetParam().bytes);
        EXPECT_EQ(asking->read_to_end(), close_frame(GetParam().code));
      },
      {.message_bytes_max = 100});
  EXPECT_EQ(code, GetParam().code == 1009 ? errc::too_large : errc::malformed);
}

INSTANTIATE_TEST_SUITE_P(table, refused_frames, testing::ValuesIn(all_bad_frames),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(http_websocket, a_message_of_the_bound_is_taken) {
  with_socket(echo,
              [](server& serving) {
                auto asking = open_raw(serving);
                asking->send(frame(opcode::binary, std::string(60, 'x'), false) +
                             frame(opcode::continuation, std::string(39, 'x') + "y"));
                asking->read_until("y");
              },
              {.message_bytes_max = 100});
}

TEST(http_websocket, the_code_arrives_although_the_message_is_not_read) {
  with_socket([](websocket& socket) { socket.read(); },
              [](server& serving) {
                auto asking = open_raw(serving);
                asking->send(frame(opcode::binary, std::string(3'000'000, 'x')));
                EXPECT_EQ(asking->read_to_end(), close_frame(1009));
              });
}

TEST(http_websocket, that_was_moved_out_of_its_handler_is_closed_with_it) {
  std::optional<websocket> kept;
  with_socket(
      [&](websocket& socket) {
        kept.emplace(std::move(socket));
        EXPECT_TRUE(kept->is_open());
        EXPECT_FALSE(socket.is_open());
        EXPECT_THROW(socket.read(), error);
      },
      [&](server& serving) {
        auto asking = open_raw(serving);
        EXPECT_EQ(asking->read_to_end(), close_frame(1001));
        EXPECT_FALSE(kept->is_open());
        EXPECT_FALSE(kept->read());
        EXPECT_THROW(kept->send("late"), error);
      });
}

TEST(http_websocket, that_another_task_reads_is_closed_with_its_handler) {
  std::optional<websocket> kept;
  run([&] {
    fiber<void> reading;
    server serving(on_any_port());
    serving.websocket("/s", [&](websocket& socket) {
      kept.emplace(std::move(socket));
      reading = go([&] { EXPECT_FALSE(kept->read()); });
      yield();
    });
    serving.start();
    auto asking = open_raw(serving);
    EXPECT_EQ(asking->read_to_end(), close_frame(1001));
    reading.join();
    serving.stop();
  });
}

TEST(http_websocket, a_flood_of_pings_keeps_nobody_else_waiting) {
  run([] {
    server serving(on_any_port());
    serving.websocket("/s", echo).get("/x", [] { return "served"; });
    serving.start();
    {
      auto flooding = open_raw(serving);
      std::string pings;
      for (int i = 0; i < 10'000; ++i) pings += frame(opcode::ping, "");
      scope flood;
      flood.go([&] {
        while (true) flooding->send(pings);
      });
      flood.go([&] {
        char dropped[8192];
        while (true) flooding->stream().read_some(dropped);
      });
      for (int i = 0; i < 5; ++i) EXPECT_EQ(client(serving.url()).get("/x").body(), "served");
      flood.cancel();
    }
    serving.stop();
  });
}

TEST(http_websocket, a_server_that_is_silent_is_not_waited_for) {
  run([] {
    net::listener silent(net::endpoint::parse("127.0.0.1:0"));
    try {
      websocket::connect("ws://" + silent.address().text(), {.connect_timeout = 20ms});
      ADD_FAILURE() << "connected";
    } catch (const error& late) {
      EXPECT_EQ(late.code(), errc::timed_out);
    }
  });
}

TEST(http_websocket, a_close_without_a_code_is_answered) {
  int code = 0;
  with_socket(
      [&](websocket& socket) {
        EXPECT_FALSE(socket.read());
        code = socket.close_code();
      },
      [](server& serving) {
        auto asking = open_raw(serving);
        asking->send(frame(opcode::close, ""));
        EXPECT_EQ(asking->read_to_end(), close_frame(1000));
      });
  EXPECT_EQ(code, 1005);
}

struct bad_handshake {
  const char* name;
  std::string out;
  std::string in;
  int status;
};

const bad_handshake bad_handshakes[] = {
    {"no_upgrade", "Upgrade: websocket\r\n", "", 426},
    {"another_upgrade", "Upgrade: websocket\r\n", "Upgrade: h2c\r\n", 426},
    {"no_connection", "Connection: keep-alive, Upgrade\r\n", "", 426},
    {"an_old_version", "Version: 13", "Version: 8", 426},
    {"no_key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400},
    {"a_short_key", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j", 400},
    {"a_key_that_is_not_base64", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ", 400},
    {"another_origin", "Host: a\r\n", "Host: a\r\nOrigin: https://b\r\n", 403},
    {"no_origin_that_is_one", "Host: a\r\n", "Host: a\r\nOrigin: null\r\n", 403},
    {"the_origin_of_another_port", "Host: a\r\n", "Host: a\r\nOrigin: http://a:81\r\n", 403},
};

class refused_handshakes : public testing::TestWithParam<bad_handshake> {};

TEST_P(refused_handshakes, are_answered_with_a_status) {
  bool called = false;
  with_socket([&](websocket&) { called = true; },
              [](server& serving) {
                std::string bytes = handshake;
                bytes.replace(bytes.find(GetParam().out), GetParam().out.size(), GetParam().in);
                const std::string answer = raw_client(serving).ask(bytes);
                EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(GetParam().status))) << answer;
                EXPECT_EQ(answer.find("Upgrade: websocket\r\n") != std::string::npos,
                          GetParam().status == 426);
              });
  EXPECT_FALSE(called);
}

INSTANTIATE_TEST_SUITE_P(table, refused_handshakes, testing::ValuesIn(bad_handshakes),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(http_websocket, pages_of_the_same_host_and_of_named_ones_may_connect) {
  with_socket(echo,
              [](server& serving) {
                for (const std::string origin : {"http://a", "https://A", "https://friend"}) {
                  std::string bytes = handshake;
                  bytes.insert(bytes.find("Upgrade"), "Origin: " + origin + "\r\n");
                  raw_client asking(serving);
                  asking.send(bytes);
                  EXPECT_TRUE(asking.read_until("\r\n").starts_with("HTTP/1.1 101 ")) << origin;
                }
              },
              {.origins = {"https://friend"}});
}

TEST(http_websocket, the_best_subprotocol_that_both_know_is_spoken) {
  with_socket([](websocket& socket) { socket.send(socket.protocol()); },
              [](server& serving) {
                const auto agreed = [&](std::vector<std::string> offered) {
                  auto socket = websocket::connect(url_of(serving), {.protocols = std::move(offered)});
                  const auto heard = socket.read();
                  EXPECT_EQ(heard->data, socket.protocol());
                  return heard->data;
                };
                EXPECT_EQ(agreed({"old", "other", "new"}), "new");
                EXPECT_EQ(agreed({"old"}), "old");
                EXPECT_EQ(agreed({"other", "NEW"}), "");
                EXPECT_EQ(agreed({}), "");
              },
              {.protocols = {"new", "old"}});
}

TEST(http_websocket, a_connection_to_what_is_none_is_refused_with_the_status) {
  run([] {
    server serving(on_any_port());
    serving.get("/s", [] { return "plain"; });
    serving.start();
    try {
      websocket::connect(url_of(serving) + "?no");
      ADD_FAILURE() << "connected";
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::refused);
      EXPECT_NE(refused.message().find("200 OK"), std::string::npos) << refused.message();
    }
    serving.stop();
  });
}

TEST(http_websocket, a_client_that_leaves_without_a_word_is_an_error_of_the_read) {
  errc code{};
  int closed = 0;
  with_socket(
      [&](websocket& socket) {
        try {
          socket.read();
        } catch (const error& failed) {
          code = failed.code();
        }
        closed = socket.close_code();
      },
      [](server& serving) {
        open_raw(serving).reset();
        while (serving.statistics().connections > 0) yield();
      });
  EXPECT_EQ(code, errc::unavailable);
  EXPECT_EQ(closed, 1006);
}

TEST(http_websocket, that_its_client_ends_or_breaks_is_no_failure_of_the_handler) {
  run([] {
    log::collector records;
    int ended = 0;
    const auto echo_on = [&](websocket& socket) {
      try {
        while (true) socket.send(socket.read().value_or(websocket_message{}).data);
      } catch (const error&) {
        ++ended;
        throw;
      }
    };
    server serving(on_any_port());
    serving.websocket("/s", echo_on);
    serving.get("/t", [&](request& in, response& out) {
      websocket socket = accept_websocket(in, out);
      echo_on(socket);
    });
    serving.start();
    for (const char* const path : {"/s", "/t"}) {
      const std::string url = "ws://" + serving.address().text() + path;
      websocket::connect(url).close();
      websocket::connect(url).drop(1001);
      for (const std::string& last : {frame(opcode::text, "\xff"s), "?"s}) {
        raw_client breaking(serving);
        breaking.send("GET "s + path + handshake.substr(handshake.find(" HTTP")));
        breaking.read_until("\r\n\r\n");
        breaking.send(last);
      }
    }
    while (ended < 8) sleep_for(1ms);
    serving.stop();
    for (const log::record& one : records.take()) EXPECT_LT(one.level, log::level::error) << one.message;
  });
}

TEST(http_websocket, that_a_handler_accepts_ends_the_deadline_of_the_handler_but_not_its_own_bounds) {
  run([] {
    server serving(on_any_port());
    serving.get("/t",
                [](request& in, response& out) {
                  EXPECT_TRUE(deadline().has_value());
                  websocket socket = accept_websocket(in, out);
                  EXPECT_FALSE(deadline().has_value());
                  const bool was_cut = move_on_after(1ms, [&] { socket.read(); });
                  socket.send(was_cut ? "bounded" : "not bounded");
                  socket.send(socket.read()->data);
                },
                {.handler_timeout = 5s});
    serving.start();
    auto socket = websocket::connect("ws://" + serving.address().text() + "/t", {},
                                     {{std::string(request_timeout_header), "30000"}});
    EXPECT_EQ(socket.read()->data, "bounded");
    socket.send("back");
    EXPECT_EQ(socket.read()->data, "back");
    EXPECT_FALSE(socket.read());
    EXPECT_EQ(socket.close_code(), 1001);
    serving.stop();
  });
}

TEST(http_websocket, a_silent_client_is_asked_and_given_up) {
  errc code{};
  with_socket(
      [&](websocket& socket) {
        try {
          socket.read();
        } catch (const error& failed) {
          code = failed.code();
        }
      },
      [](server& serving) {
        auto silent = open_raw(serving);
        EXPECT_EQ(silent->read_to_end(), plain_frame(opcode::ping, ""));
      },
      {.ping_after = 10ms});
  EXPECT_EQ(code, errc::timed_out);
}

TEST(http_websocket, a_client_that_answers_pings_is_kept) {
  with_socket(echo,
              [](server& serving) {
                auto asking = open_raw(serving);
                for (int i = 0; i < 2; ++i) {
                  asking->read_until(plain_frame(opcode::ping, ""));
                  asking->send(frame(opcode::pong, ""));
                }
                asking->send(frame(opcode::text, "still here"));
                asking->read_until("still here");
              },
              {.ping_after = 500ms});
}

TEST(http_websocket, a_server_that_stops_says_so) {
  run([] {
    server serving(on_any_port());
    bool ended = false;
    serving.websocket("/s", [&](websocket& socket) {
      EXPECT_FALSE(socket.read());
      ended = true;
    });
    serving.start();
    auto socket = websocket::connect(url_of(serving));
    while (serving.statistics().requests == 0) yield();
    yield();
    EXPECT_TRUE(serving.stop());
    EXPECT_TRUE(ended);
    EXPECT_FALSE(socket.read());
    EXPECT_EQ(socket.close_code(), 1001);
  });
}

TEST(http_websocket, a_read_that_was_cancelled_has_lost_nothing) {
  with_socket(echo, [](server& serving) {
    auto asking = open_raw(serving);
    auto socket = websocket::connect(url_of(serving));
    EXPECT_THROW(with_timeout(5ms, [&] { socket.read(); }), deadline_exceeded);
    socket.send("whole");
    EXPECT_EQ(socket.read()->data, "whole");
  });
}

TEST(http_websocket, messages_of_many_writers_are_whole) {
  constexpr int writers = 20;
  const std::string part(100'000, 'x');
  with_socket(
      [&](websocket& socket) {
        scope all;
        for (int i = 0; i < writers; ++i) all.go([&] { socket.send(part); });
        all.join();
      },
      [&](server& serving) {
        auto socket = websocket::connect(url_of(serving));
        for (int i = 0; i < writers; ++i) EXPECT_TRUE(socket.read()->data == part);
        EXPECT_FALSE(socket.read());
      });
}

TEST(http_websocket, a_second_reader_is_refused) {
  with_socket(echo, [](server& serving) {
    auto socket = websocket::connect(url_of(serving));
    scope reading;
    reading.go([&] { EXPECT_FALSE(socket.read()); });
    yield();
    try {
      socket.read();
      ADD_FAILURE() << "read";
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::busy);
    }
    socket.close();  // while the other one reads
    reading.join();
    EXPECT_EQ(socket.close_code(), 1000);
  });
}

TEST(http_websocket, a_peer_that_does_not_answer_a_close_is_not_waited_for_long) {
  with_socket([](websocket& socket) { socket.close(1000); },
              [](server& serving) {
                auto silent = open_raw(serving);
                EXPECT_EQ(silent->read_to_end(), close_frame(1000));
              },
              {.close_timeout = 10ms});
}

TEST(http_websocket, what_may_not_be_sent_is_refused_and_the_connection_goes_on) {
  with_socket(echo, [](server& serving) {
    auto socket = websocket::connect(url_of(serving));
    EXPECT_THROW(socket.send("\xff"), error);
    EXPECT_THROW(socket.close(1005), error);
    EXPECT_THROW(socket.close(1000, std::string(124, 'x')), error);
    EXPECT_THROW(socket.close(1000, "\xff"), error);
    socket.send("good");
    EXPECT_EQ(socket.read()->data, "good");
  });
}

}  // namespace
}  // namespace weft::http
