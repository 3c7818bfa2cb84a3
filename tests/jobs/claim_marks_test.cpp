#include "jobs/postgres/claim_marks.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace weft::jobs::postgres {
namespace {

using namespace std::chrono_literals;

constexpr worker_id own{1};

/// A look from the beginning that read many pages, and was asked for so long ago.
void look(claim_marks& marks, std::chrono::milliseconds ago) {
  claim_marks::question asked(marks, own, true, steady_clock::now() - ago);
  claim_marks::answer told;
  told.is_full = true;
  told.seen_to = 0;
  told.pages = 1'000'000;
  asked.answered(told);
}

TEST(claim_marks, rest_as_looks_take_and_not_as_what_held_them_up_does) {
  claim_marks marks;
  EXPECT_TRUE(marks.wants_whole(own)) << "it has never looked";
  const steady_time before = steady_clock::now();
  look(marks, 100ms);
  EXPECT_GE(marks.next_whole(own), before + 2s) << "twenty times as long";
  look(marks, 1h);  // its connection was lost, or its process stopped
  EXPECT_GE(marks.next_whole(own), before + 5s);
  EXPECT_LE(marks.next_whole(own), steady_clock::now() + 5s);
}

}  // namespace
}  // namespace weft::jobs::postgres
