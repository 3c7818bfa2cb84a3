#include "jobs/postgres/claim_marks.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace weft::jobs::postgres {
namespace {

using namespace std::chrono_literals;
using look = claim_marks::look;

constexpr worker_id own{1};
const std::vector<std::string> queues{"mail", "video"};

bool is_any(std::int64_t) { return true; }

/// A look from the beginning that read many pages, and was asked for so long ago.
void look_long(claim_marks& marks, std::chrono::milliseconds ago) {
  claim_marks::question asked(marks, own, {look::kind::whole}, steady_clock::now() - ago);
  claim_marks::answer told;
  told.is_full = true;
  told.seen_to = 0;
  told.pages = 1'000'000;
  asked.answered(told);
}

/// A claim from the marks on that was given one job of that line.
void claim(claim_marks& marks, const claim_marks::line& in, claim_marks::place at, bool is_full = true) {
  claim_marks::question asked(marks, own, {});
  claim_marks::answer told;
  told.taken = {{in, at}};
  told.is_full = is_full;
  told.up_to = {in.queue == "mail" ? std::vector<std::string>() : std::vector<std::string>{"mail"}, in.queue,
                in.priority};
  told.seen_to = 0;
  asked.answered(told);
}

/// The next look that is not from the marks on.
look other_look(const claim_marks& marks) {
  const steady_time until = steady_clock::now() + 20s;
  for (;;) {
    look next = marks.next_look(own, queues, is_any);
    if (next.of != look::kind::marks) return next;
    if (steady_clock::now() >= until) throw std::runtime_error("looks from the marks on only");
  }
}

void answer(claim_marks& marks, const look& how, std::int64_t pages) {
  claim_marks::question asked(marks, own, how);
  claim_marks::answer told;
  told.is_full = how.of != look::kind::slice;
  told.up_to = {{}, "mail", 0};
  told.seen_to = 0;
  told.pages = pages;
  asked.answered(told);
}

TEST(claim_marks, rest_as_looks_take_and_not_as_what_held_them_up_does) {
  claim_marks marks;
  EXPECT_EQ(marks.next_look(own, queues, is_any).of, look::kind::whole) << "it has never looked";
  const steady_time before = steady_clock::now();
  look_long(marks, 100ms);
  EXPECT_EQ(marks.next_look(own, queues, is_any).of, look::kind::marks);
  EXPECT_GE(marks.next_time(own), before + 2s) << "twenty times as long";
  look_long(marks, 1h);  // its connection was lost, or its process stopped
  EXPECT_GE(marks.next_time(own), before + 5s);
  EXPECT_LE(marks.next_time(own), steady_clock::now() + 5s);
}

TEST(claim_marks, with_much_behind_them_look_at_it_in_slices_and_then_at_what_is_due) {
  claim_marks marks;
  look_long(marks, 0ms);
  const claim_marks::line in{"mail", 1, 0};
  for (std::int64_t n = 1; n <= 10'000; ++n) claim(marks, in, {n, n});
  claim_marks::place from;
  for (int slices = 0; slices < 3; ++slices) {
    const look next = other_look(marks);
    ASSERT_EQ(next.of, look::kind::slice);
    EXPECT_EQ(next.in, in);
    EXPECT_EQ(next.part.from, from);
    from = next.part.to;
    answer(marks, next, 300);
  }
  EXPECT_EQ(from, (claim_marks::place{10'000, 10'000}));
  look last = other_look(marks);
  EXPECT_EQ(last.of, look::kind::due);
  answer(marks, last, 10);
  EXPECT_EQ(other_look(marks).of, look::kind::slice) << "the next round";
}

TEST(claim_marks, go_on_with_a_slice_that_gave_all_that_was_asked_for) {
  claim_marks marks;
  look_long(marks, 0ms);
  const claim_marks::line in{"mail", 1, 0};
  for (std::int64_t n = 1; n <= 10'000; ++n) claim(marks, in, {n, n});
  look slice = other_look(marks);
  ASSERT_EQ(slice.of, look::kind::slice);
  const claim_marks::place end = slice.part.to;
  for (std::int64_t n = 100; n <= 1000; n += 100) {
    {
      claim_marks::question asked(marks, own, slice, steady_clock::now() - 250ms);
      claim_marks::answer told;
      told.taken = {{in, {n, 0}}};
      told.is_full = true;
      told.pages = 10;
      asked.answered(told);
    }
    EXPECT_EQ(marks.next_look(own, queues, is_any).of, look::kind::marks) << "there may be more urgent ones";
    claim(marks, in, {10'000 + n, n});
    EXPECT_LE(marks.next_time(own), steady_clock::now());
    slice = marks.next_look(own, queues, is_any);
    ASSERT_EQ(slice.of, look::kind::slice) << "at once";
    EXPECT_EQ(slice.in, in);
    EXPECT_EQ(slice.part.from, (claim_marks::place{n, 0}));
    EXPECT_EQ(slice.part.to, end) << "it has read little of it, and does not grow for that";
  }
  answer(marks, slice, 10);
  EXPECT_EQ(other_look(marks).part.from, end);
}

TEST(claim_marks, with_little_left_behind_them_look_at_the_whole_again) {
  claim_marks marks;
  look_long(marks, 0ms);
  claim(marks, {"mail", 1, 0}, {5, 5});
  const look slice = other_look(marks);
  ASSERT_EQ(slice.of, look::kind::slice);
  answer(marks, slice, 10);
  const look due = other_look(marks);
  ASSERT_EQ(due.of, look::kind::due);
  answer(marks, due, 10);
  EXPECT_EQ(other_look(marks).of, look::kind::whole);
}

TEST(claim_marks, leave_out_lines_that_a_claim_did_not_come_to) {
  claim_marks marks;
  look_long(marks, 0ms);
  claim(marks, {"mail", 1, 5}, {5, 5});
  claim(marks, {"video", 2, 5}, {5, 5});
  claim(marks, {"mail", 1, 0}, {5, 5});
  const look first = other_look(marks);
  ASSERT_EQ(first.of, look::kind::slice);
  EXPECT_EQ(first.in, (claim_marks::line{"mail", 1, 0}));
  answer(marks, first, 10);
  claim(marks, {"mail", 1, 0}, {6, 6});
  const look due = other_look(marks);
  EXPECT_EQ(due.of, look::kind::slice) << "what has been claimed since";
  answer(marks, due, 10);
  claim(marks, {"mail", 1, 0}, {6, 6});
  const look end = other_look(marks);
  ASSERT_EQ(end.of, look::kind::due);
  answer(marks, end, 10);
  EXPECT_NE(other_look(marks).of, look::kind::whole) << "nobody knows what is in the others";
  claim(marks, {"video", 2, 5}, {6, 6}, false);
  std::vector<std::string> seen;
  for (look next = other_look(marks); next.of == look::kind::slice; next = other_look(marks)) {
    seen.push_back(next.in.queue + std::to_string(next.in.priority));
    answer(marks, next, 10);
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"mail0", "mail5", "video5"}))
      << "it asked for more than there was";
}

TEST(claim_marks, leave_out_closures_that_the_worker_does_not_have) {
  claim_marks marks;
  look_long(marks, 0ms);
  claim(marks, {"mail", 1, 0}, {5, 5});
  const auto none = [](std::int64_t) { return false; };
  const steady_time until = steady_clock::now() + 20s;
  look next;
  while ((next = marks.next_look(own, queues, none)).of == look::kind::marks)
    ASSERT_LT(steady_clock::now(), until);
  EXPECT_EQ(next.of, look::kind::due);
}

/// A claim after one that was given a job of moment 500.
claim_marks::question ask_behind_500(claim_marks& marks) {
  look_long(marks, 0ms);
  claim(marks, {"mail", 1, 0}, {500, 5});
  return {marks, own, {}};
}

claim_marks::answer came_due(std::int64_t from) {
  claim_marks::answer told;
  told.promoted = from;
  told.seen_to = from + 200;
  return told;
}

TEST(claim_marks, go_back_to_what_came_due) {
  claim_marks marks;
  claim_marks::question asked = ask_behind_500(marks);
  asked.answered(came_due(400));
  const auto stretches = marks.stretches(queues);
  ASSERT_EQ(stretches.size(), 2U);
  EXPECT_EQ(stretches[1].from, (claim_marks::place{400, INT64_MIN}));
}

TEST(claim_marks, go_back_to_what_came_due_in_a_claim_that_is_asked_again) {
  claim_marks marks;
  claim_marks::question asked = ask_behind_500(marks);
  asked.promoted(came_due(400));
  EXPECT_EQ(marks.stretches(queues).at(1).from, (claim_marks::place{400, INT64_MIN}));
  EXPECT_EQ(marks.since(), 0) << "the next one sees to it";
}

}  // namespace
}  // namespace weft::jobs::postgres
