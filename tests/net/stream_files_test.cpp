// Files, splices and descriptors over streams.

#include <weft/net/stream.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "support/descriptors.hpp"
#include "support/expect_error.hpp"

namespace weft::net {
namespace {

using namespace std::chrono_literals;

struct pair {
  stream left;
  stream right;
};

pair make_pair() {
  socket_pair both;
  return {stream(std::move(both.here)), stream(std::move(both.there))};
}

std::string read_to_end(stream& from) {
  std::string all;
  std::array<char, 4096> piece;
  while (const std::size_t count = from.read_some(piece)) all.append(piece.data(), count);
  return all;
}

/// A file without a name that holds `text`.
unique_fd file_with(const std::string& text) {
  char name[] = "/tmp/weft-net-file-XXXXXX";
  unique_fd made(::mkstemp(name));
  ::unlink(name);
  EXPECT_EQ(::write(made.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  return made;
}

std::string numbered(std::size_t bytes) {
  std::string text;
  for (std::size_t n = 0; text.size() < bytes; ++n) text += std::to_string(n) + ' ';
  text.resize(bytes);
  return text;
}

TEST(send_file, sends_a_part_that_is_larger_than_the_socket_holds) {
  run([] {
    pair both = make_pair();
    const std::string text = numbered(3'000'000);
    const unique_fd file = file_with(text);
    auto sending = go([&] {
      const transfer sent = both.left.send_file(file.get(), 100, 2'000'000);
      both.left.close();
      return sent;
    });
    EXPECT_EQ(read_to_end(both.right), text.substr(100, 2'000'000));
    EXPECT_EQ(sending.join(), (transfer{2'000'000, transfer_end::complete}));
  });
}

TEST(send_file, says_when_the_file_is_shorter_when_it_takes_too_long_and_when_nobody_reads) {
  run([] {
    const unique_fd small = file_with("0123456789");
    const unique_fd large = file_with(numbered(3'000'000));
    pair both = make_pair();
    EXPECT_EQ(both.left.send_file(small.get(), 4, 100), (transfer{6, transfer_end::end_of_stream}));
    const transfer late = both.left.send_file_until(large.get(), 0, 3'000'000, steady_clock::now() + 5ms);
    EXPECT_EQ(late.end, transfer_end::timed_out);
    EXPECT_LT(late.bytes, 3'000'000u);
    both.right.close();
    message_of(errc::unavailable, [&] { both.left.send_file(small.get(), 0, 1); });  // and no signal
  });
}

TEST(relay, moves_all_bytes_and_the_end) {
  run([] {
    pair source = make_pair();
    pair sink = make_pair();
    const std::string text = numbered(2'000'000);
    auto sending = go([&] {
      source.left.write_all(text);
      source.left.close();
    });
    auto reading = go([&] { return read_to_end(sink.right); });
    relay between;
    EXPECT_EQ(between.move(source.right, sink.left), (transfer{text.size(), transfer_end::end_of_stream}));
    sink.left.close();
    sending.join();
    EXPECT_EQ(reading.join(), text);
  });
}

TEST(relay, keeps_what_could_not_be_written_for_the_next_call) {
  run([] {
    pair source = make_pair();
    pair sink = make_pair();
    while (sink.left.write_some_until(std::string(100'000, '.'), steady_clock::now())) {
    }
    source.left.write_all("precious");
    relay between;
    EXPECT_EQ(between.move_until(source.right, sink.left, 8, steady_clock::now() + 5ms),
              (transfer{0, transfer_end::timed_out}));
    EXPECT_EQ(between.held(), 8u);
    EXPECT_THROW(with_timeout(5ms, [&] { between.move(source.right, sink.left, 8); }), deadline_exceeded);
    auto reading = go([&] { return read_to_end(sink.right); });
    EXPECT_EQ(between.move(source.right, sink.left, 8), (transfer{8, transfer_end::complete}));
    EXPECT_EQ(between.held(), 0u);
    sink.left.close();
    EXPECT_TRUE(reading.join().ends_with(".precious"));
  });
}

TEST(relay, tells_what_was_moved_before_the_reader_went) {
  run([] {
    pair source = make_pair();
    pair sink = make_pair();
    auto endless = go([&] {
      const std::string some(10'000, 'x');
      while (true) source.left.write_all(some);
    });
    auto moving = go([&] {
      relay between;
      between.move(source.right, sink.left);
    });
    std::array<char, 5000> some;
    EXPECT_TRUE(sink.right.read_exactly(some));
    sink.right.close();
    try {
      moving.join();
      ADD_FAILURE();
    } catch (const transfer_error& failed) {
      EXPECT_EQ(failed.code(), errc::unavailable);
      EXPECT_GE(failed.bytes(), some.size());
    }
    source.right.close();
    EXPECT_THROW(endless.join(), error);
  });
}

TEST(descriptors, come_with_the_bytes_they_were_sent_with) {
  run([] {
    pair both = make_pair();
    test_pipe tube;
    const std::array<int, 2> sent{tube.reader.get(), tube.writer.get()};
    EXPECT_TRUE(both.left.send_descriptors("two", sent));
    std::array<char, 100> room;
    auto got = both.right.receive_descriptors(room);
    EXPECT_EQ(got.bytes, 3u);
    ASSERT_EQ(got.descriptors.size(), 2u);
    for (const unique_fd& one : got.descriptors) EXPECT_EQ(::fcntl(one.get(), F_GETFD), FD_CLOEXEC);
    tube.writer.reset();
    put(got.descriptors[1].get(), "through");
    EXPECT_EQ(drain(got.descriptors[0].get()), 7u);
    both.left.close();
    got = both.right.receive_descriptors(room);
    EXPECT_EQ(got.bytes, 0u);
    EXPECT_TRUE(got.descriptors.empty());
  });
}

TEST(descriptors, a_plain_read_stops_at_them_and_the_next_one_goes_on) {
  run([] {
    pair both = make_pair();
    test_pipe tube;
    const std::array<int, 1> one{tube.reader.get()};
    const auto read_all_three = [&] {
      std::string all;
      std::array<char, 100> room;
      while (all.size() < 9) all.append(room.data(), both.right.read_some(room));
      return all;
    };
    char none = 0;
    EXPECT_FALSE(
        both.right.read_some_until({&none, 1}, steady_clock::now() + 5ms));  // it waits for an edge now
    auto reading = go([&] { return with_timeout(20s, read_all_three); });
    yield();
    both.left.write_all("one");
    EXPECT_TRUE(both.left.send_descriptors("two", one));
    both.left.write_all("six");
    EXPECT_EQ(reading.join(), "onetwosix");
  });
}

TEST(descriptors, too_many_are_refused_before_anything_is_sent) {
  run([] {
    pair both = make_pair();
    const std::vector<int> many(stream::descriptors_max + 1, 0);
    message_of(errc::invalid_argument, [&] { both.left.send_descriptors("x", many); });
    message_of(errc::invalid_argument, [&] { both.left.send_descriptors("", std::array{0}); });
    EXPECT_TRUE(both.right.is_quiet());
  });
}

TEST(descriptors, those_without_room_are_an_error_and_none_stays_open) {
  run([] {
    pair both = make_pair();
    test_pipe tube;
    const std::vector<int> sent(20, tube.writer.get());
    EXPECT_TRUE(both.left.send_descriptors("x", sent));
    // Once before: the undefined-behaviour sanitizer needs descriptors to look at a type for the first time.
    message_of(errc::invalid_argument, [&] { both.left.send_descriptors("", sent); });
    const int next = ::dup(0);
    ::close(next);
    rlimit former{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &former), 0);
    rlimit less = former;
    less.rlim_cur = static_cast<rlim_t>(next) + 5;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &less), 0);
    std::array<char, 10> room;
    message_of(errc::resource_exhausted, [&] { both.right.receive_descriptors(room); });
    ::setrlimit(RLIMIT_NOFILE, &former);
    const int next_now = ::dup(0);
    EXPECT_EQ(next_now, next);
    ::close(next_now);
  });
}

}  // namespace
}  // namespace weft::net
