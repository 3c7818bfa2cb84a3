#include "workers/arrived_frames.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "workers/protocol.hpp"

namespace {

using namespace weft::workers::detail;

bool add(arrived_frames& to, frame_type type, std::size_t payload_bytes = 0) {
  arrived_frames::list one;
  auto& frame = one.emplace_back().frame;
  frame.type = static_cast<std::uint8_t>(type);
  frame.payload.resize(payload_bytes);
  return to.add(one);
}

// The types of all that waits, in order.
std::vector<frame_type> taken(arrived_frames& from) {
  std::vector<frame_type> types;
  while (!from.is_empty()) types.push_back(static_cast<frame_type>(from.take().front().frame.type));
  return types;
}

TEST(arrived_frames, come_out_in_the_order_they_came) {
  arrived_frames some(true);
  const std::vector<frame_type> order{frame_type::progress, frame_type::data_out,     frame_type::progress,
                                      frame_type::ask,      frame_type::data_out_end, frame_type::progress,
                                      frame_type::answer};
  for (const auto type : order) EXPECT_TRUE(add(some, type));
  EXPECT_EQ(taken(some), order);
}

TEST(arrived_frames, the_latest_notes_of_progress_are_kept_and_the_others_counted) {
  arrived_frames some(true);
  for (std::size_t i = 0; i < progress_kept_max + 10; ++i) add(some, frame_type::progress, i);
  const auto first = some.take();
  EXPECT_EQ(first.front().frame.payload.size(), 10U);
  EXPECT_EQ(first.front().dropped, 10U);
  EXPECT_EQ(some.take().front().dropped, 0U);
  EXPECT_EQ(taken(some).size(), progress_kept_max - 2);
}

TEST(arrived_frames, long_notes_are_bounded_by_their_bytes) {
  arrived_frames some(true);
  for (int i = 0; i < 10; ++i) add(some, frame_type::progress, progress_kept_bytes_max / 4);
  EXPECT_EQ(taken(some).size(), 4U);
  for (int i = 0; i < 3; ++i) add(some, frame_type::progress, 2 * progress_kept_bytes_max);
  EXPECT_EQ(some.take().front().dropped, 2U);
  EXPECT_TRUE(some.is_empty());
}

TEST(arrived_frames, what_nobody_wants_to_know_is_not_kept) {
  arrived_frames some(false);
  EXPECT_TRUE(add(some, frame_type::progress));
  EXPECT_TRUE(add(some, static_cast<frame_type>(200)));
  EXPECT_TRUE(some.is_empty());
}

TEST(arrived_frames, of_a_stream_are_no_more_than_its_window) {
  arrived_frames some(true);
  const std::size_t half = stream_window_bytes / 2 - stream_part_overhead;
  EXPECT_TRUE(add(some, frame_type::data_out, half));
  EXPECT_TRUE(add(some, frame_type::data_out, half));
  some.take();
  EXPECT_TRUE(add(some, frame_type::data_out, half));
  EXPECT_FALSE(add(some, frame_type::data_out));
}

TEST(arrived_frames, nothing_comes_behind_the_end_of_a_stream) {
  arrived_frames some(true);
  EXPECT_TRUE(add(some, frame_type::data_out_end));
  EXPECT_FALSE(add(some, frame_type::data_out_end));
  EXPECT_FALSE(add(some, frame_type::data_out));
}

TEST(arrived_frames, questions_without_end_are_refused) {
  arrived_frames some(true);
  for (std::size_t i = 0; i < asks_open_max; ++i) EXPECT_TRUE(add(some, frame_type::ask));
  EXPECT_FALSE(add(some, frame_type::ask));
  some.take();
  EXPECT_TRUE(add(some, frame_type::ask));
}

}  // namespace
