#include "http/websocket/permessage_deflate.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/server.hpp>

#include "http/raw_client.hpp"
#include "http/websocket/frame.hpp"

namespace weft::http {
namespace {

using namespace std::string_literals;
using detail::deflate_agreement;
using detail::message_deflate;
using detail::opcode;

/// What a server answers to an offer.
std::string answer_to(std::string_view offer, const websocket_compression& options = {}) {
  const std::vector<header> fields{{"Sec-WebSocket-Extensions", offer}};
  std::string answer;
  return detail::accept_deflate_offer(fields, options, answer) ? answer : "declined";
}

TEST(permessage_deflate, answers_offers_as_rfc_7692_has_it) {
  const std::string no_context = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  EXPECT_EQ(answer_to("permessage-deflate"), no_context);
  EXPECT_EQ(answer_to("x-webkit-deflate-frame, permessage-deflate; client_max_window_bits"), no_context);
  EXPECT_EQ(answer_to("Permessage-Deflate; server_max_window_bits=10"),
            no_context + "; server_max_window_bits=10");
  EXPECT_EQ(answer_to("permessage-deflate; server_max_window_bits=\"12\"", {.window_bits = 9}),
            no_context + "; server_max_window_bits=9");
  const websocket_compression keeps{.keeps_context = true};
  EXPECT_EQ(answer_to("permessage-deflate", keeps), "permessage-deflate");
  EXPECT_EQ(answer_to("permessage-deflate; server_no_context_takeover", keeps),
            "permessage-deflate; server_no_context_takeover");
  EXPECT_EQ(answer_to("permessage-deflate; client_no_context_takeover", keeps),
            "permessage-deflate; client_no_context_takeover");
  // What cannot be met is passed over; the next one may be.
  EXPECT_EQ(answer_to("permessage-deflate; server_max_window_bits=8"), "declined");
  EXPECT_EQ(answer_to("permessage-deflate; server_max_window_bits=8, permessage-deflate"), no_context);
  for (const char* const bad :
       {"", "deflate", "permessage-deflate; more", "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; client_max_window_bits=1x", "permessage-deflate client_max_window_bits"})
    EXPECT_EQ(answer_to(bad), "declined") << bad;
}

TEST(permessage_deflate, takes_only_answers_to_its_offer) {
  const websocket_compression plain;
  const websocket_compression keeps{.keeps_context = true, .window_bits = 12};
  const auto got = detail::read_deflate_answer("permessage-deflate; client_max_window_bits=10", keeps);
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->own_context && got->peer_context);
  EXPECT_EQ(got->own_window_bits, 10);
  const auto without = detail::read_deflate_answer(
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover", keeps);
  ASSERT_TRUE(without);
  EXPECT_FALSE(without->own_context || without->peer_context);
  EXPECT_EQ(without->own_window_bits, 12);
  EXPECT_TRUE(detail::read_deflate_answer("permessage-deflate; server_no_context_takeover", plain));
  EXPECT_FALSE(detail::read_deflate_answer("permessage-deflate", plain));
  EXPECT_FALSE(detail::read_deflate_answer("permessage-deflate; client_max_window_bits", keeps));
  EXPECT_FALSE(detail::read_deflate_answer("permessage-deflate; client_max_window_bits=8", keeps));
  EXPECT_FALSE(detail::read_deflate_answer("permessage-deflate, permessage-deflate", keeps));
  EXPECT_FALSE(detail::read_deflate_answer("other", keeps));
}

std::string unpacked(message_deflate& with, std::string payload, std::size_t bytes_max = 1000) {
  switch (with.unpack(payload, bytes_max)) {
    case message_deflate::unpacked::done:
      return payload;
    case message_deflate::unpacked::malformed:
      return "malformed";
    default:
      return "too large";
  }
}

TEST(permessage_deflate, unpacks_the_examples_of_the_rfc) {
  message_deflate side({}, {.own_context = true, .peer_context = true});
  EXPECT_EQ(unpacked(side, "\xf2\x48\xcd\xc9\xc9\x07\x00"s), "Hello");
  EXPECT_EQ(unpacked(side, "\xf2\x00\x11\x00\x00"s), "Hello");  // 7.2.3.2, by the context
  EXPECT_EQ(unpacked(side, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s), "Hello");          // 7.2.3.3
  EXPECT_EQ(unpacked(side, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s), "Hello");                      // 7.2.3.4
  EXPECT_EQ(unpacked(side, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s), "Hello");  // 7.2.3.5
  EXPECT_EQ(unpacked(side, "\x00"s), "");                                                       // 7.2.3.6
  message_deflate forgetful({}, {});
  EXPECT_EQ(unpacked(forgetful, "\xf2\x48\xcd\xc9\xc9\x07\x00"s), "Hello");
  EXPECT_EQ(unpacked(forgetful, "\xf2\x00\x11\x00\x00"s), "malformed");
}

TEST(permessage_deflate, refuses_what_is_malformed_cut_short_or_too_large) {
  const auto with_new = [](std::string payload, std::size_t bytes_max) {
    message_deflate side({}, {});
    return unpacked(side, std::move(payload), bytes_max);
  };
  EXPECT_EQ(with_new("\xf2\x48\xcd\xc9\xc9\x07\x00"s, 5), "Hello");
  EXPECT_EQ(with_new("\xf2\x48\xcd\xc9\xc9\x07\x00"s, 4), "too large");
  EXPECT_EQ(with_new("\xff\xff\xff"s, 1000), "malformed");
  EXPECT_EQ(with_new("\xf2\x48\xcd"s, 1000), "malformed");
  EXPECT_EQ(with_new("\x00\x50\x00\xaf\xff\x48"s, 1000), "malformed");
}

TEST(permessage_deflate, packs_what_the_other_side_unpacks) {
  for (const bool context : {false, true}) {
    for (const int bits : {9, 15}) {
      const deflate_agreement agreed{
          .own_context = context, .peer_context = context, .own_window_bits = bits};
      message_deflate one({.bytes_min = 10}, agreed);
      message_deflate other({.bytes_min = 10}, agreed);
      EXPECT_FALSE(one.pack("too small"));
      std::size_t first = 0;
      for (int turn = 0; turn < 3; ++turn) {
        std::string message;
        for (int i = 0; i < 5000; ++i) message += static_cast<char>('a' + i * i % 23);
        const auto packed = one.pack(message);
        ASSERT_TRUE(packed);
        if (turn == 0) first = packed->size();
        EXPECT_TRUE(context ? turn == 0 || packed->size() <= first : packed->size() == first);
        EXPECT_TRUE(unpacked(other, *packed, 5000) == message);
      }
    }
  }
  message_deflate forgetful({.bytes_min = 0}, {});
  EXPECT_FALSE(forgetful.pack("q"));  // it would not become smaller
}

// ---- connections

void echo(websocket& socket) {
  while (auto message = socket.read()) socket.send(message->data);
}

/// Runs `test` with a server that echoes at /s, and its port's URL.
template <typename Test>
void with_echo(const websocket_options& options, Test&& test) {
  run([&] {
    server serving(on_any_port());
    serving.websocket("/s", echo, options);
    serving.start();
    test(serving, "ws://" + serving.address().text() + "/s");
    serving.stop();
  });
}

const websocket_options compressed{.compression = websocket_compression{}};

TEST(http_compressed_websocket, echoes_messages_of_any_size) {
  for (const bool server_keeps : {false, true}) {
    for (const bool client_keeps : {false, true}) {
      websocket_options at_server{.compression = websocket_compression{.keeps_context = server_keeps}};
      websocket_options at_client{
          .compression = websocket_compression{.keeps_context = client_keeps, .window_bits = 10}};
      with_echo(at_server, [&](server&, const std::string& url) {
        auto socket = websocket::connect(url, at_client);
        EXPECT_TRUE(socket.is_compressed());
        for (const std::size_t size : {0u, 1u, 256u, 300u, 300u, 100'000u, 1'000'000u}) {
          std::string sent(size, 'x');
          for (std::size_t i = 0; i < size; ++i) sent[i] = static_cast<char>('a' + i * i % 26);
          socket.send(sent);
          const auto got = socket.read();
          ASSERT_TRUE(got);
          EXPECT_TRUE(got->data == sent);
        }
        socket.close();
      });
    }
  }
}

TEST(http_compressed_websocket, is_not_where_one_side_does_not_want_it) {
  with_echo(compressed, [](server&, const std::string& url) {
    auto socket = websocket::connect(url);
    EXPECT_FALSE(socket.is_compressed());
    socket.send(std::string(1000, 'x'));
    EXPECT_EQ(socket.read()->data.size(), 1000u);
    EXPECT_THROW(websocket::connect(url, {.compression = websocket_compression{.window_bits = 8}}), error);
  });
  with_echo({}, [](server&, const std::string& url) {
    EXPECT_FALSE(websocket::connect(url, compressed).is_compressed());
  });
}

std::string frame(opcode what, std::string_view payload, bool is_compressed, bool is_final = true) {
  const detail::frame_mask mask{'m', 'a', 's', 'k'};
  std::string bytes;
  detail::append_frame_head(bytes, {.what = what,
                                    .is_final = is_final,
                                    .is_compressed = is_compressed,
                                    .payload_bytes = payload.size(),
                                    .mask = mask});
  const std::size_t begin = bytes.size();
  bytes += payload;
  detail::apply_mask(bytes.data() + begin, payload.size(), mask, 0);
  return bytes;
}

/// Sends frames to a server that compresses and gives what comes back behind the handshake.
std::string answer_to_frames(std::string_view frames, websocket_options options = compressed) {
  std::string got;
  with_echo(options, [&](server& serving, const std::string&) {
    raw_client asking(serving);
    asking.send(
        "GET /s HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
        "13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: "
        "permessage-deflate\r\n\r\n");
    EXPECT_NE(asking.read_until("\r\n\r\n").find("Sec-WebSocket-Extensions: permessage-deflate;"),
              std::string::npos);
    got = asking.ask(frames);
  });
  return got;
}

const std::string hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"s;

TEST(http_compressed_websocket, messages_may_come_in_frames_with_control_frames_between) {
  const std::string got =
      answer_to_frames(frame(opcode::text, hello.substr(0, 3), true, false) +
                       frame(opcode::ping, "p", false) + frame(opcode::continuation, hello.substr(3), false) +
                       frame(opcode::text, "plain", false) + frame(opcode::close, "", false));
  EXPECT_NE(got.find("\x8a\x01p"), std::string::npos);      // pong, not compressed
  EXPECT_NE(got.find("\x81\x05Hello"), std::string::npos);  // too small to be compressed
  EXPECT_NE(got.find("\x81\x05plain"), std::string::npos);
}

TEST(http_compressed_websocket, is_closed_with_a_code_for_what_may_not_be) {
  const auto code = [](std::string_view frames, websocket_options options = compressed) {
    const std::string got = answer_to_frames(frames, options);
    if (got.size() < 4 || got[0] != '\x88') return 0;
    return static_cast<unsigned char>(got[2]) << 8 | static_cast<unsigned char>(got[3]);
  };
  EXPECT_EQ(code(frame(opcode::ping, "p", true)), 1002);
  EXPECT_EQ(code(frame(opcode::close, "", true)), 1002);
  EXPECT_EQ(code(frame(opcode::text, hello.substr(0, 3), true, false) +
                 frame(opcode::continuation, hello.substr(3), true)),
            1002);
  EXPECT_EQ(code(frame(opcode::text, "\xff\xff\xff", true)), 1002);
  EXPECT_EQ(code(frame(opcode::text, "\x00\x01\x00\xfe\xff\xff\x00"s, true)), 1007);  // "\xff" is no text
  detail::deflater into(detail::deflate_format::raw, 9);
  std::string bomb;
  into.write(std::string(5'000'000, 'x'), detail::deflater::flush::sync, bomb);
  ASSERT_LT(bomb.size(), 20'000u);
  EXPECT_EQ(code(frame(opcode::text, bomb.substr(0, bomb.size() - 4), true)), 1009);
}

}  // namespace
}  // namespace weft::http
