#include <weft/net/message_stream.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/net/stream.hpp>

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

steady_time soon() { return steady_clock::now() + 5ms; }

TEST(buffered_reader, reads_up_to_a_delimiter_that_comes_in_parts) {
  run([] {
    pair both = make_pair();
    buffered_reader reader(both.left);
    both.right.write_all("first\r");
    EXPECT_EQ(reader.read_until("\r\n", soon()).end, transfer_end::timed_out);
    both.right.write_all("\nsecond\r\nrest");
    EXPECT_EQ(reader.read_until("\r\n").bytes, "first\r\n");
    EXPECT_EQ(reader.read_until("\r\n").bytes, "second\r\n");
    EXPECT_EQ(reader.buffered(), "rest");
    both.right.close();
    const piece last = reader.read_until("\r\n");
    EXPECT_FALSE(last);
    EXPECT_EQ(last.end, transfer_end::end_of_stream);
    EXPECT_EQ(last.bytes, "rest");
    EXPECT_EQ(reader.read_some().end, transfer_end::end_of_stream);
  });
}

TEST(buffered_reader, reads_pieces_of_a_size_and_what_is_there) {
  run([] {
    pair both = make_pair();
    buffered_reader reader(both.left, 10'000);
    std::string large;
    for (int n = 0; large.size() < 25'000; ++n) large += std::to_string(n);
    large.resize(25'000);
    auto writing = go([&] { both.right.write_all(large); });
    std::string got;
    for (const std::size_t count : {10'000u, 1u, 4'999u, 9'000u}) {
      const piece next = reader.read_exactly(count);
      EXPECT_EQ(next.bytes.size(), count);
      got += next.bytes;
    }
    while (got.size() < large.size()) got += reader.read_some().bytes;
    EXPECT_EQ(got, large);
    writing.join();
    EXPECT_EQ(reader.read_exactly(0).end, transfer_end::complete);
    message_of(errc::too_large, [&] { reader.read_exactly(10'001); });
  });
}

TEST(buffered_reader, a_delimiter_beyond_the_bound_is_an_error_and_within_it_none) {
  run([] {
    for (const bool fits : {true, false}) {
      pair both = make_pair();
      buffered_reader reader(both.left, 10);
      both.right.write_all(fits ? "123456789\n" : "1234567890\n");
      if (fits) {
        EXPECT_EQ(reader.read_until("\n").bytes, "123456789\n");
      } else {
        message_of(errc::too_large, [&] { reader.read_until("\n"); });
        message_of(errc::too_large, [&] { reader.read_until("\n"); });
      }
    }
  });
}

TEST(buffered_reader, a_cancelled_read_loses_nothing) {
  run([] {
    pair both = make_pair();
    buffered_reader reader(both.left);
    both.right.write_all("ab");
    EXPECT_THROW(with_timeout(5ms, [&] { reader.read_exactly(4); }), deadline_exceeded);
    both.right.write_all("cd");
    EXPECT_EQ(reader.read_exactly(4).bytes, "abcd");
  });
}

TEST(message_stream, carries_messages_behind_lengths_of_all_widths_and_orders) {
  run([] {
    for (const std::size_t width : {1u, 2u, 4u, 8u}) {
      for (const auto order : {std::endian::big, std::endian::little}) {
        pair both = make_pair();
        const length_prefix framing{.bytes = width, .order = order};
        message_stream sends(both.left, framing);
        message_stream receives(both.right, framing);
        const std::vector<std::string> all{"", "x", std::string(255, 'y'),
                                           std::string(width > 1 ? 60'000 : 7, 'z')};
        auto sending = go([&] {
          for (const auto& one : all) EXPECT_TRUE(sends.write(one));
          both.left.close();
        });
        for (const auto& one : all) EXPECT_EQ(receives.read().bytes, one);
        EXPECT_EQ(receives.read().end, transfer_end::end_of_stream);
        sending.join();
      }
    }
  });
}

TEST(message_stream, writes_the_length_as_said) {
  run([] {
    pair both = make_pair();
    message_stream(both.left, length_prefix{.bytes = 2}).write("abc");
    message_stream(both.left, length_prefix{.bytes = 4, .order = std::endian::little}).write("abc");
    message_stream(both.left, delimiter{.text = "||"}).write("abc");
    buffered_reader raw(both.right);
    EXPECT_EQ(raw.read_exactly(5).bytes, std::string_view("\0\3abc", 5));
    EXPECT_EQ(raw.read_exactly(7).bytes, std::string_view("\3\0\0\0abc", 7));
    EXPECT_EQ(raw.read_exactly(5).bytes, "abc||");
  });
}

TEST(message_stream, messages_over_the_maximum_are_refused_both_ways) {
  run([] {
    pair both = make_pair();
    message_stream small(both.left, length_prefix{.bytes = 8, .message_bytes_max = 10});
    message_of(errc::too_large, [&] { small.write("12345678901"); });
    EXPECT_TRUE(small.write("1234567890"));  // nothing was sent of the other
    both.right.write_all(std::string(8, '\xff'));
    message_of(errc::too_large, [&] { small.read(); });
    message_of(errc::too_large, [&] { small.read(); });
    pair third = make_pair();
    message_stream narrow(third.left, length_prefix{.bytes = 1});
    message_of(errc::too_large, [&] { narrow.write(std::string(256, 'x')); });
    pair other = make_pair();
    message_stream lines(other.left, delimiter{.message_bytes_max = 3});
    message_of(errc::too_large, [&] { lines.write("1234"); });
    message_of(errc::invalid_argument, [&] { lines.write("1\n2"); });
    other.right.write_all("123\n1234\n");
    EXPECT_EQ(lines.read().bytes, "123");
    message_of(errc::too_large, [&] { lines.read(); });
  });
}

TEST(message_stream, goes_on_after_a_bound_in_the_middle_of_a_message) {
  run([] {
    pair both = make_pair();
    message_stream messages(both.left, length_prefix{.bytes = 2});
    both.right.write_all(std::string_view("\0", 1));
    EXPECT_EQ(messages.read(soon()).end, transfer_end::timed_out);
    both.right.write_all(std::string_view("\3a", 2));
    EXPECT_EQ(messages.read(soon()).end, transfer_end::timed_out);
    both.right.write_all("bc");
    EXPECT_EQ(messages.read().bytes, "abc");
  });
}

TEST(message_stream, an_end_within_a_message_is_an_error) {
  run([] {
    for (const std::string_view sent :
         {std::string_view("\0", 1), std::string_view("\0\3", 2), std::string_view("\0\3ab", 4)}) {
      pair both = make_pair();
      message_stream messages(both.left, length_prefix{.bytes = 2});
      both.right.write_all(sent);
      both.right.close();
      EXPECT_TRUE(has_text(message_of(errc::unavailable, [&] { messages.read(); }), "within a message"));
    }
    pair both = make_pair();
    message_stream lines(both.left, delimiter{});
    both.right.write_all("half a line");
    both.right.close();
    message_of(errc::unavailable, [&] { lines.read(); });
  });
}

TEST(message_stream, half_a_message_ends_the_writing) {
  run([] {
    pair both = make_pair();
    message_stream messages(both.left, length_prefix{.message_bytes_max = 10'000'000});
    const transfer sent = messages.write(std::string(5'000'000, 'x'), soon());
    EXPECT_EQ(sent.end, transfer_end::timed_out);
    EXPECT_GT(sent.bytes, 0u);
    message_of(errc::closed, [&] { messages.write("y"); });
  });
}

TEST(message_stream, a_second_writer_is_refused_and_the_first_goes_on) {
  run([] {
    pair both = make_pair();
    const length_prefix framing{.message_bytes_max = 10'000'000};
    message_stream sends(both.left, framing);
    message_stream receives(both.right, framing);
    auto first = go([&] { return sends.write(std::string(5'000'000, 'x')); });
    yield();
    message_of(errc::busy, [&] { sends.write("y"); });
    EXPECT_EQ(receives.read().bytes.size(), 5'000'000u);
    EXPECT_TRUE(first.join());
    EXPECT_TRUE(sends.write("z"));
    EXPECT_EQ(receives.read().bytes, "z");
    auto gives_up = go([&] { sends.write(std::string(5'000'000, 'x')); });
    yield();
    gives_up.cancel();
    EXPECT_THROW(gives_up.join(), cancelled);
    message_of(errc::closed, [&] { sends.write("y"); });
  });
}

TEST(message_stream, refuses_framing_without_sense) {
  pair both = make_pair();
  for (const std::size_t width : {0u, 3u, 16u})
    message_of(errc::invalid_argument, [&] { message_stream(both.left, length_prefix{.bytes = width}); });
  message_of(errc::invalid_argument, [&] { message_stream(both.left, delimiter{.text = ""}); });
}

}  // namespace
}  // namespace weft::net
