#include <weft/net/datagram_socket.hpp>

#include <gtest/gtest.h>

#include <unistd.h>
#include <array>
#include <string>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "support/expect_error.hpp"

namespace weft::net {
namespace {

using namespace std::chrono_literals;

const endpoint any_port = endpoint::parse("127.0.0.1:0");

/// An abstract name of this process.
endpoint unix_name(const std::string& of) {
  return endpoint::unix_socket("@weft-datagram-" + std::to_string(::getpid()) + of);
}

TEST(datagram_socket, carries_messages_whole_and_says_who_sent_them) {
  run([] {
    datagram_socket one = datagram_socket::bind(any_port);
    datagram_socket other = datagram_socket::bind(any_port);
    one.send_to("first", other.local_address());
    one.send_to("", other.local_address());
    one.send_to("second", other.local_address());
    std::array<char, 100> room;
    for (const std::string_view expected : {"first", "", "second"}) {
      const datagram got = other.receive_from(room);
      EXPECT_EQ(std::string_view(room.data(), got.bytes), expected);
      EXPECT_EQ(got.from, one.local_address());
      EXPECT_FALSE(got.is_cut);
    }
  });
}

TEST(datagram_socket, wakes_the_task_that_waits) {
  run([] {
    datagram_socket server = datagram_socket::bind(any_port);
    auto echoing = go([&] {
      std::array<char, 100> room;
      const datagram got = server.receive_from(room);
      server.send_to({room.data(), got.bytes}, got.from);
    });
    yield();
    datagram_socket client = datagram_socket::connect(server.local_address());
    client.send("ping");
    std::array<char, 100> room;
    EXPECT_EQ(client.receive_from(room).bytes, 4u);
    echoing.join();
  });
}

TEST(datagram_socket, says_when_a_message_had_more_than_there_was_room_for) {
  run([] {
    datagram_socket server = datagram_socket::bind(any_port);
    datagram_socket client = datagram_socket::connect(server.local_address());
    client.send("0123456789");
    std::array<char, 4> room;
    const datagram got = server.receive_from(room);
    EXPECT_EQ(got.bytes, 4u);
    EXPECT_TRUE(got.is_cut);
    message_of(errc::too_large, [&] { client.send(std::string(70'000, 'x')); });
    message_of(errc::too_large, [&] { client.send_to(std::string(70'000, 'x'), server.local_address()); });
  });
}

TEST(datagram_socket, a_wait_ends_at_its_bound_when_cancelled_and_by_close) {
  run([] {
    datagram_socket server = datagram_socket::bind(any_port);
    std::array<char, 4> room;
    EXPECT_FALSE(server.receive_from_until(room, steady_clock::now() + 5ms).has_value());
    EXPECT_THROW(with_timeout(5ms, [&] { server.receive_from(room); }), deadline_exceeded);
    auto waiting = go([&] { server.receive_from(room); });
    yield();
    message_of(errc::busy, [&] { server.receive_from(room); });
    server.close();
    message_of(errc::closed, [&] { waiting.join(); });
    message_of(errc::closed, [&] { server.send("x"); });
  });
}

TEST(datagram_socket, a_connected_one_hears_that_nobody_is_there) {
  run([] {
    endpoint gone;
    {
      const datagram_socket closed = datagram_socket::bind(any_port);
      gone = closed.local_address();
    }
    datagram_socket client = datagram_socket::connect(gone);
    client.send("x");
    std::array<char, 4> room;
    message_of(errc::unavailable, [&] { client.receive_from(room); });
    message_of(errc::unavailable, [] { datagram_socket::connect(unix_name("nobody")); });
  });
}

TEST(datagram_socket, two_cannot_have_one_port) {
  run([] {
    const datagram_socket first = datagram_socket::bind(any_port);
    const std::string text = message_of(errc::busy, [&] { datagram_socket::bind(first.local_address()); });
    EXPECT_TRUE(has_text(text, "bind to " + first.local_address().text())) << text;
    const datagram_socket shares = datagram_socket::bind(any_port, {.reuse_port = true});
    EXPECT_NO_THROW(datagram_socket::bind(shares.local_address(), {.reuse_port = true}));
  });
}

TEST(datagram_socket, a_unix_one_is_answered_at_its_own_name) {
  run([] {
    datagram_socket server = datagram_socket::bind(unix_name("server"));
    datagram_socket client = datagram_socket::connect(unix_name("server"));
    client.send("question");
    std::array<char, 100> room;
    const datagram got = server.receive_from(room);
    EXPECT_EQ(got.from, client.local_address());
    server.send_to("answer", got.from);
    EXPECT_EQ(client.receive_from(room).bytes, 6u);
  });
}

TEST(datagram_socket, a_unix_sender_waits_for_a_receiver_that_does_not_keep_up_if_it_is_connected) {
  run([] {
    datagram_socket server = datagram_socket::bind(unix_name("slow"));
    datagram_socket client = datagram_socket::connect(unix_name("slow"));
    std::size_t sent = 0;
    while (client.send_until("x", steady_clock::now() + 5ms)) ++sent;
    datagram_socket another = datagram_socket::bind(unix_name("another"));
    message_of(errc::resource_exhausted, [&] { another.send_to("x", unix_name("slow")); });
    auto waiting = go([&] { client.send("last"); });
    yield();
    EXPECT_FALSE(waiting.done());
    std::array<char, 10> room;
    for (std::size_t n = 0; n < sent; ++n) EXPECT_EQ(server.receive_from(room).bytes, 1u);
    EXPECT_EQ(server.receive_from(room).bytes, 4u);
    waiting.join();
  });
}

}  // namespace
}  // namespace weft::net
