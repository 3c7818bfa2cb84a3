#include "jobs/postgres/line_slices.hpp"

#include <cstdint>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace weft::jobs::postgres {
namespace {

using slice = line_slices::slice;

line_place at(std::int64_t number) { return {1'000'000'000 + number, number}; }

/// All slices up to the mark, which lie side by side.
std::vector<slice> all_of(const line_slices& of, line_place mark) {
  std::vector<slice> all;
  line_place from;
  while (const auto one = of.next(from, mark)) {
    EXPECT_EQ(one->from, from);
    EXPECT_LT(one->from, one->to);
    all.push_back(*one);
    from = one->to;
  }
  EXPECT_EQ(all.back().to, mark);
  return all;
}

void claim(line_slices& from, std::int64_t first, std::int64_t last) {
  for (std::int64_t n = first; n <= last; n += 64) from.claimed(64, at(n + 63));
}

/// Reads all that is passed over, each `jobs_of_page` jobs a page, and says what the longest slice took.
std::int64_t read(line_slices& of, line_place mark, std::int64_t jobs_of_page) {
  std::int64_t most = 0;
  for (const slice& one : all_of(of, mark)) {
    const std::int64_t first = std::max(one.from.run_at, at(0).run_at);
    const std::int64_t pages = 1 + std::max<std::int64_t>(one.to.run_at - first, 0) / jobs_of_page;
    most = std::max(most, pages);
    of.was_read(one, pages);
  }
  return most;
}

TEST(line_slices, are_as_long_as_one_look_reads_however_many_jobs_were_claimed) {
  line_slices some;
  claim(some, 1, 1'000'000);
  const line_place mark = at(1'000'000);
  EXPECT_LE(read(some, mark, 50), 4096 / 50 + 3);
  const auto slices = all_of(some, mark);
  EXPECT_GE(slices.size(), 200U);
  EXPECT_LE(slices.size(), 260U);
}

TEST(line_slices, that_read_more_as_others_claim_there_too_are_cut_in_two) {
  line_slices some;
  claim(some, 1, 100'000);
  const line_place mark = at(100'000);
  EXPECT_GT(read(some, mark, 5), 800);
  for (int round = 0; round < 40; ++round) (void)read(some, mark, 5);
  EXPECT_LE(read(some, mark, 5), 320);
  EXPECT_LE(all_of(some, mark).size(), 140U);
}

TEST(line_slices, that_begin_before_all_that_this_store_has_claimed_are_cut_by_time) {
  line_slices some;  // an hour's jobs were there before, one each millisecond
  const line_place mark{1'000'000'000 + 3'600'000'000, 1};
  some.claimed(4096, mark);
  std::int64_t most = 0;
  for (int round = 0; round < 40; ++round) most = read(some, mark, 50'000);
  EXPECT_LE(most, 320);
}

/// The first slice read much, each of so many times. Says where it ended before and after the last one.
std::pair<line_place, line_place> cut_first(line_slices& some, line_place mark, int times) {
  std::pair<line_place, line_place> ends;
  for (int n = 0; n < times; ++n) {
    const slice first = all_of(some, mark).front();
    some.was_read(first, 10'000);
    ends = {first.to, all_of(some, mark).front().to};
    EXPECT_LT(ends.second, ends.first) << n;
  }
  return ends;
}

TEST(line_slices, that_have_no_beginning_are_cut_however_often_they_read_much) {
  line_slices some;
  const line_place mark{std::int64_t{1} << 60, 1};
  some.claimed(4096, mark);
  (void)cut_first(some, mark, 40);
}

TEST(line_slices, that_have_no_beginning_are_cut_as_at_first_once_they_have_grown) {
  line_slices some;
  const line_place mark{std::int64_t{1} << 60, 1};
  some.claimed(4096, mark);
  const auto reach = [](const auto& ends) { return ends.first.run_at - ends.second.run_at; };
  const auto usual = reach(cut_first(some, mark, 1));
  EXPECT_GT(reach(cut_first(some, mark, 4)), 10 * usual);
  for (int round = 0; round < 10; ++round) (void)read(some, mark, INT64_MAX);
  EXPECT_EQ(reach(cut_first(some, mark, 1)), usual);
}

TEST(line_slices, that_were_cleaned_up_grow_together) {
  line_slices some;
  claim(some, 1, 1'000'000);
  const line_place mark = at(1'000'000);
  for (int round = 0; round < 10; ++round) (void)read(some, mark, INT64_MAX);
  EXPECT_LE(all_of(some, mark).size(), 6U);
}

TEST(line_slices, are_of_bounded_number) {
  line_slices some;
  claim(some, 1, 20'000'000);
  EXPECT_LE(all_of(some, at(20'000'000)).size(), 1025U);
}

TEST(line_slices, end_at_a_mark_that_was_moved_back) {
  line_slices some;
  claim(some, 1, 100'000);
  EXPECT_FALSE(some.next(at(50'000), at(50'000)));
  const auto one = some.next(at(49'999), at(50'000));
  ASSERT_TRUE(one);
  EXPECT_EQ(one->to, at(50'000));
  EXPECT_EQ(all_of(some, at(50'000)).back().to, at(50'000));
}

}  // namespace
}  // namespace weft::jobs::postgres
