#include <weft/net/stream.hpp>

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>

#include <string>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/net/listener.hpp>

#include "support/expect_error.hpp"

namespace weft::net {
namespace {

using namespace std::chrono_literals;

struct pair {
  stream left;
  stream right;
};

pair make_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) throw system_error("socketpair", errno);
  return {stream(unique_fd(fds[0])), stream(unique_fd(fds[1]))};
}

pair make_tcp_pair() {
  listener listening(endpoint::parse("127.0.0.1:0"));
  stream client = stream::connect(listening.address());
  return {std::move(client), listening.accept()};
}

std::string read_to_end(stream& from) {
  std::string all;
  char piece[4096];
  while (const std::size_t count = from.read_some(piece)) all.append(piece, count);
  return all;
}

template <typename Work>
errc code_of(Work&& work) {
  try {
    work();
  } catch (const error& thrown) {
    return thrown.code();
  }
  return errc::unknown;
}

TEST(stream, carries_more_than_the_socket_holds_both_ways) {
  run([] {
    pair both = make_tcp_pair();
    const std::string large(5'000'000, 'x');
    auto there = go([&] {
      both.left.write_all(large);
      both.left.shutdown_write();
    });
    auto back = go([&] {
      both.right.write_all(large);
      both.right.shutdown_write();
    });
    auto reading = go([&] { return read_to_end(both.left); });
    EXPECT_EQ(read_to_end(both.right), large);
    EXPECT_EQ(reading.join(), large);
    there.join();
    back.join();
  });
}

TEST(stream, sends_many_pieces_in_order) {
  run([] {
    pair both = make_pair();
    std::vector<std::string> texts;
    std::string whole;
    for (int i = 0; i < 100; ++i) {
      texts.push_back(std::string(static_cast<std::size_t>(i), static_cast<char>('a' + i % 26)));
      whole += texts.back();
    }
    const std::vector<std::string_view> pieces(texts.begin(), texts.end());
    EXPECT_TRUE(both.left.write_all_until(pieces, no_deadline));
    both.left.close();
    EXPECT_EQ(read_to_end(both.right), whole);
  });
}

TEST(stream, sees_the_end_that_came_together_with_the_last_bytes) {
  run([] {
    pair both = make_tcp_pair();
    both.left.write_all("bye");
    both.left.close();
    sleep_for(1ms);  // let the poller see bytes and end at once
    char piece[16];
    EXPECT_EQ(both.right.read_some(piece), 3u);
    const auto end = both.right.read_some_until(piece, steady_clock::now() + 10s);
    ASSERT_TRUE(end.has_value());
    EXPECT_EQ(*end, 0u);
  });
}

TEST(stream, a_second_reader_gets_an_error_and_the_first_its_bytes) {
  run([] {
    pair both = make_pair();
    auto first = go([&] {
      char byte = 0;
      return both.left.read_some({&byte, 1});
    });
    yield();
    char byte = 0;
    const std::string refused = message_of(errc::busy, [&] { both.left.read_some({&byte, 1}); });
    EXPECT_TRUE(has_text(refused, "task " + std::to_string(first.id()))) << refused;
    EXPECT_TRUE(has_text(refused, "task " + std::to_string(this_fiber::id()))) << refused;
    both.right.write_all("x");
    EXPECT_EQ(code_of([&] { both.left.read_some({&byte, 1}); }), errc::busy);  // also when bytes are there
    EXPECT_EQ(first.join(), 1u);
  });
}

TEST(stream, close_wakes_its_reader_and_its_writer) {
  run([] {
    pair both = make_pair();
    auto reading = go([&] {
      char byte = 0;
      both.left.read_some({&byte, 1});
    });
    const std::string large(5'000'000, 'x');
    auto writing = go([&] { both.left.write_all(large); });
    yield();
    yield();
    both.left.close();
    EXPECT_EQ(code_of([&] { reading.join(); }), errc::closed);
    EXPECT_EQ(code_of([&] { writing.join(); }), errc::closed);
    EXPECT_EQ(code_of([&] { both.left.write_all("x"); }), errc::closed);
  });
}

TEST(stream, writing_to_a_peer_that_has_gone_is_an_error_and_no_signal) {
  run([] {
    pair both = make_pair();
    both.right.close();
    EXPECT_EQ(code_of([&] { both.left.write_all("x"); }), errc::unavailable);
  });
}

TEST(stream, an_error_in_the_middle_of_a_write_tells_what_was_sent) {
  run([] {
    pair both = make_pair();
    const std::string large(5'000'000, 'x');
    auto writing = go([&]() -> std::size_t {
      try {
        both.left.write_all(large);
      } catch (const transfer_error& failed) {
        EXPECT_EQ(failed.code(), errc::unavailable);
        EXPECT_TRUE(has_text(failed.message(), "after " + std::to_string(failed.bytes()) + " bytes"));
        return failed.bytes();
      }
      return 0;
    });
    std::array<char, 1000> some;
    EXPECT_TRUE(both.right.read_exactly(some));
    both.right.close();
    const std::size_t sent = writing.join();
    EXPECT_GE(sent, some.size());
    EXPECT_LT(sent, large.size());
  });
}

TEST(stream, read_exactly_says_what_it_has_at_the_end_and_at_its_bound) {
  run([] {
    pair both = make_pair();
    std::array<char, 6> all;
    both.right.write_all("abc");
    EXPECT_EQ(both.left.read_exactly_until(all, steady_clock::now() + 5ms),
              (transfer{3, transfer_end::timed_out}));
    both.right.write_all("defghi");
    EXPECT_EQ(both.left.read_exactly(all), (transfer{6, transfer_end::complete}));
    EXPECT_EQ(std::string_view(all.data(), 6), "defghi");
    both.right.write_all("jk");
    both.right.close();
    EXPECT_EQ(both.left.read_exactly(all), (transfer{2, transfer_end::end_of_stream}));
  });
}

TEST(stream, fills_several_pieces_in_order) {
  run([] {
    pair both = make_tcp_pair();
    both.right.write_all("headbody");
    std::array<char, 4> head;
    std::array<char, 100> body;
    const std::array<std::span<char>, 2> pieces{head, body};
    EXPECT_EQ(both.left.read_pieces(pieces), 8u);
    EXPECT_EQ(std::string_view(head.data(), 4), "head");
    EXPECT_EQ(std::string_view(body.data(), 4), "body");
  });
}

TEST(stream, what_is_peeked_is_read_again) {
  run([] {
    pair both = make_pair();
    auto peeking = go([&] {
      std::array<char, 2> first;
      return std::string(first.data(), both.left.peek(first));
    });
    yield();
    both.right.write_all("hello");
    both.right.shutdown_write();
    EXPECT_EQ(peeking.join(), "he");
    EXPECT_EQ(read_to_end(both.left), "hello");
    char none = 0;
    EXPECT_EQ(both.left.peek({&none, 1}), 0u);
  });
}

TEST(stream, write_some_sends_what_there_is_room_for) {
  run([] {
    pair both = make_pair();
    const std::string large(5'000'000, 'x');
    const std::size_t sent = both.left.write_some(large);
    EXPECT_GT(sent, 0u);
    EXPECT_LT(sent, large.size());
    EXPECT_EQ(both.left.write_some_until(large, steady_clock::now() + 5ms).value_or(0), 0u);
    both.left.close();
    EXPECT_EQ(read_to_end(both.right).size(), sent);
  });
}

TEST(stream, half_closed_it_still_reads) {
  run([] {
    pair both = make_tcp_pair();
    both.left.write_all("question");
    both.left.shutdown_write();
    EXPECT_EQ(read_to_end(both.right), "question");
    both.right.write_all("answer");
    both.right.close();
    EXPECT_EQ(read_to_end(both.left), "answer");
  });
}

TEST(stream, is_alive_until_the_peer_ends) {
  run([] {
    pair both = make_pair();
    EXPECT_TRUE(both.left.is_alive());
    both.right.write_all("x");
    EXPECT_TRUE(both.left.is_alive());
    std::array<char, 2> room;
    EXPECT_EQ(both.left.read_some(room), 1u);
    both.right.close();
    EXPECT_FALSE(both.left.is_alive());
    EXPECT_FALSE(stream().is_alive());
  });
}

int option_of(const stream& of, int level, int name) {
  int value = -1;
  socklen_t bytes = sizeof value;
  EXPECT_EQ(::getsockopt(of.fd(), level, name, &value, &bytes), 0);
  return value;
}

TEST(stream, sets_the_options_of_its_socket) {
  run([] {
    pair both = make_tcp_pair();
    stream& one = both.left;
    one.set_keep_alive(keep_alive{.idle = 30s, .interval = 7s, .probes = 4});
    EXPECT_EQ(option_of(one, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(option_of(one, IPPROTO_TCP, TCP_KEEPIDLE), 30);
    EXPECT_EQ(option_of(one, IPPROTO_TCP, TCP_KEEPINTVL), 7);
    EXPECT_EQ(option_of(one, IPPROTO_TCP, TCP_KEEPCNT), 4);
    one.set_keep_alive(std::nullopt);
    EXPECT_EQ(option_of(one, SOL_SOCKET, SO_KEEPALIVE), 0);
    one.set_user_timeout(1500ms);
    EXPECT_EQ(option_of(one, IPPROTO_TCP, TCP_USER_TIMEOUT), 1500);
    one.set_send_buffer(20'000);
    one.set_receive_buffer(30'000);
    EXPECT_GE(option_of(one, SOL_SOCKET, SO_SNDBUF), 20'000);
    EXPECT_GE(option_of(one, SOL_SOCKET, SO_RCVBUF), 30'000);
    EXPECT_EQ(option_of(one, IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(code_of([&] { one.set_keep_alive(keep_alive{.probes = 1000}); }), errc::invalid_argument);
  });
}

TEST(stream, hands_its_socket_over_and_takes_one_over) {
  run([] {
    pair both = make_pair();
    unique_fd bare = both.left.release();
    EXPECT_FALSE(both.left.is_open());
    stream again(std::move(bare));
    both.right.write_all("x");
    char byte = 0;
    EXPECT_EQ(again.read_some({&byte, 1}), 1u);
  });
}

TEST(stream, a_read_ends_at_its_bound_and_at_the_deadline_of_the_task) {
  run([] {
    pair both = make_pair();
    char byte = 0;
    EXPECT_FALSE(both.left.read_some_until({&byte, 1}, steady_clock::now() + 5ms).has_value());
    EXPECT_THROW(with_timeout(5ms, [&] { both.left.read_some({&byte, 1}); }), deadline_exceeded);
    both.right.write_all("x");
    EXPECT_EQ(both.left.read_some({&byte, 1}), 1u);  // neither hurt the stream
  });
}

TEST(stream, a_write_ends_at_its_bound_when_nobody_reads) {
  run([] {
    pair both = make_pair();
    const std::string large(5'000'000, 'x');
    const std::string_view piece = large;
    EXPECT_FALSE(both.left.write_all_until({&piece, 1}, steady_clock::now() + 5ms));
  });
}

TEST(stream, connecting_to_nobody_says_so) {
  run([] {
    endpoint gone;
    {
      listener listening(endpoint::parse("127.0.0.1:0"));
      gone = listening.address();
    }
    try {
      stream::connect(gone);
      ADD_FAILURE();
    } catch (const error& failed) {
      EXPECT_EQ(failed.code(), errc::unavailable);
      EXPECT_EQ(std::string(failed.what()),
                "connect to " + gone.text() + ": nobody listens there; is the server running?");
    }
    EXPECT_EQ(code_of([] { stream::connect(endpoint::unix_socket("/nonexistent/s")); }), errc::unavailable);
  });
}

TEST(stream, connects_by_name) {
  run([] {
    listener listening(endpoint::parse("127.0.0.1:0"));
    stream client = stream::connect(endpoint::tcp("localhost", listening.address().port()));
    EXPECT_TRUE(client.is_open());
    EXPECT_EQ(code_of([] { stream::connect(endpoint::tcp("no-such-host.invalid", 80)); }) == errc::unknown,
              false);
  });
}

TEST(stream, knows_both_addresses) {
  run([] {
    pair both = make_tcp_pair();
    EXPECT_EQ(both.left.local_address(), both.right.peer_address());
    EXPECT_EQ(both.left.peer_address(), both.right.local_address());
  });
}

TEST(stream, is_quiet_until_bytes_or_the_end_come) {
  run([] {
    pair both = make_pair();
    EXPECT_TRUE(both.left.is_quiet());
    both.right.write_all("x");
    EXPECT_FALSE(both.left.is_quiet());
    pair other = make_pair();
    other.right.close();
    EXPECT_FALSE(other.left.is_quiet());
  });
}

}  // namespace
}  // namespace weft::net
