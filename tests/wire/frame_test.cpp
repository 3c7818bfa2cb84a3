#include <weft/wire/frame.hpp>

#include <vector>

#include <gtest/gtest.h>

#include <weft/core/error.hpp>

namespace {

using weft::wire::frame;
using weft::wire::frame_reader;

frame sample(std::uint64_t id, std::size_t size) {
  return {static_cast<std::uint8_t>(id), 0x81, id << 40 | id, weft::bytes(size, static_cast<std::byte>(id))};
}

std::vector<frame> read_all(frame_reader& reader) {
  std::vector<frame> out;
  while (auto one = reader.next()) out.push_back(std::move(*one));
  return out;
}

weft::bytes stream_of(const std::vector<frame>& sent) {
  weft::bytes stream;
  for (const auto& one : sent) {
    weft::wire::append_frame(stream, one.type, one.flags, one.request_id, one.payload);
  }
  return stream;
}

// The frames come out again where the stream comes in pieces of that size.
void expect_read_in_pieces(std::size_t piece, const weft::bytes& stream, const std::vector<frame>& sent) {
  frame_reader reader;
  std::vector<frame> got;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    reader.append(std::span(stream).subspan(at, std::min(piece, stream.size() - at)));
    for (auto& one : read_all(reader)) got.push_back(std::move(one));
  }
  ASSERT_EQ(got, sent) << "pieces of " << piece;
  ASSERT_EQ(reader.pending_bytes(), 0U);
}

TEST(frame, has_the_documented_bytes) {
  const auto data = weft::wire::to_bytes(frame{3, 1, 0x0102030405060708, weft::to_bytes("hi")});
  EXPECT_EQ(weft::as_text(data), std::string_view("\0\0\0\2\3\1\0\0\1\2\3\4\5\6\7\10hi", 18));
}

TEST(frame_reader, accepts_any_split) {
  const std::vector<frame> sent{sample(1, 0), sample(2, 1), sample(3, 40), sample(4, 0)};
  const auto stream = stream_of(sent);
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    ASSERT_NO_FATAL_FAILURE(expect_read_in_pieces(piece, stream, sent));
  }
}

TEST(frame_reader, keeps_its_place_over_many_frames) {
  frame_reader reader;
  weft::bytes stream;
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto one = weft::wire::to_bytes(sample(i, 5000));
    stream.insert(stream.end(), one.begin(), one.end());
  }
  std::uint64_t next = 0;
  for (std::size_t at = 0; at < stream.size(); at += 7001) {
    reader.append(std::span(stream).subspan(at, std::min<std::size_t>(7001, stream.size() - at)));
    for (const auto& one : read_all(reader)) EXPECT_EQ(one, sample(next++, 5000));
  }
  EXPECT_EQ(next, 50U);
}

// Long ones are read into a buffer of their own; around its bound, over what is reserved at once, and with
// short ones before and behind.
TEST(frame_reader, reads_long_payloads_between_short_ones) {
  const std::vector<frame> sent{sample(1, 3),       sample(2, 16'383), sample(3, 16'384), sample(4, 16'385),
                                sample(5, 700'000), sample(6, 0),      sample(7, 20'000), sample(8, 20'000)};
  const auto stream = stream_of(sent);
  for (const std::size_t piece : {15UL, 16UL, 17UL, 1000UL, 16'384UL, 65'536UL, 300'000UL, stream.size()}) {
    ASSERT_NO_FATAL_FAILURE(expect_read_in_pieces(piece, stream, sent));
  }
}

TEST(frame_reader, shows_a_long_frame_that_was_cut_off) {
  frame_reader reader;
  const auto data = weft::wire::to_bytes(sample(1, 100'000));
  for (std::size_t at = 0; at < 50'000; at += 10'000) {
    reader.append(std::span(data).subspan(at, 10'000));
    EXPECT_FALSE(reader.next());
    EXPECT_EQ(reader.pending_bytes(), at + 10'000);
  }
}

TEST(frame_reader, shows_a_frame_that_was_cut_off) {
  frame_reader reader;
  const auto data = weft::wire::to_bytes(sample(1, 10));
  reader.append(std::span(data).first(20));
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.pending_bytes(), 20U);
}

TEST(frame_reader, refuses_a_payload_over_its_limit_before_it_arrives) {
  frame_reader reader(100);
  const auto data = weft::wire::to_bytes(sample(1, 101));
  reader.append(std::span(data).first(15));
  EXPECT_FALSE(reader.next());
  reader.append(std::span(data).subspan(15, 1));
  for (int i = 0; i < 2; ++i) {
    try {
      (void)reader.next();
      ADD_FAILURE() << "no error";
    } catch (const weft::error& problem) {
      EXPECT_EQ(problem.code(), weft::errc::too_large);
    }
  }
}

TEST(frame_reader, refuses_reserved_bits) {
  frame_reader reader;
  auto data = weft::wire::to_bytes(sample(1, 1));
  data[7] = std::byte{1};
  reader.append(data);
  EXPECT_THROW((void)reader.next(), weft::error);
}

}  // namespace
