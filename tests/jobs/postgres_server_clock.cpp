#include <gtest/gtest.h>

#include "jobs/postgres/server_clock.hpp"

// What the server says of its time is kept as long as it is the best that is known.

namespace {

using namespace std::chrono_literals;
using weft::jobs::moment;
using weft::jobs::postgres::server_clock;

moment at(std::chrono::microseconds since_epoch) { return moment(since_epoch); }

TEST(PostgresServerClock, GoesOnWithTheTimeSinceTheStartOfTheMachine) {
  server_clock clock;
  clock.learn(100s, at(5'000s), 100s);
  EXPECT_LE(std::chrono::abs(clock.at(100s) - at(5'000s)), 1us);
  EXPECT_LE(std::chrono::abs(clock.at(160s) - at(5'060s)), 1us);
  clock.learn(server_clock::since_start(), at(9'000s), server_clock::since_start());
  const moment first = clock.now();
  EXPECT_GE(first, at(9'000s) - 1us);
  EXPECT_LE(first, clock.now());
}

TEST(PostgresServerClock, TakesTheMiddleOfQuestionAndAnswer) {
  server_clock clock;
  clock.learn(100s, at(5'000s), 104s);
  EXPECT_LE(std::chrono::abs(clock.at(102s) - at(5'000s)), 1us);
}

TEST(PostgresServerClock, ASlowAnswerDoesNotTakeThePlaceOfAQuickOne) {
  server_clock clock;
  clock.learn(100s, at(5'000s), 100s + 2ms);
  const moment before = clock.at(101s);
  clock.learn(101s, at(5'001s), 101s + 800ms);  // it came at once, and its answer was held up
  EXPECT_EQ(clock.at(101s), before);
  clock.learn(102s, at(5'002s) + 100us, 102s + 1ms);
  EXPECT_NE(clock.at(101s), before) << "a better one does";
}

TEST(PostgresServerClock, WhatWasKnownWellIsKnownLessWellAfterHours) {
  server_clock clock;
  clock.learn(100s, at(5'000s), 100s + 2ms);
  clock.learn(100s + 5h, at(5'000s + 5h) + 500ms, 100s + 5h + 100ms);
  EXPECT_LE(std::chrono::abs(clock.at(100s + 5h + 50ms) - (at(5'000s + 5h) + 500ms)), 1us);
}

TEST(PostgresServerClock, AnotherTimeOfTheServerIsBelieved) {
  server_clock clock;
  clock.learn(100s, at(5'000s), 100s + 2ms);
  clock.learn(101s, at(1'000s), 101s + 500ms);
  EXPECT_LE(std::chrono::abs(clock.at(101s + 250ms) - at(1'000s)), 1us);
}

TEST(PostgresServerClock, IsToBeAskedForAgainAfterHalfAMinute) {
  server_clock clock;
  clock.learn(100s, at(5'000s), 100s + 2ms);
  EXPECT_FALSE(clock.is_old(130s));
  EXPECT_TRUE(clock.is_old(131s));
  clock.learn(131s, at(5'031s), 133s);
  EXPECT_FALSE(clock.is_old(150s)) << "also where the answer was of no use";
}

}  // namespace
