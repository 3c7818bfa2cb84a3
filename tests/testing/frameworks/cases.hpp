#pragma once

// The cases of weft::testing in test frameworks of others. The framework's header comes before this one.

#include <chrono>
#include <stdexcept>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/testing/macros.hpp>

using namespace std::chrono_literals;

WEFT_TEST_CASE("passes on a fiber") { CHECK(weft::this_fiber::in_fiber()); }

WEFT_TEST_CASE("passes where time jumps", .time = weft::testing::test_time::jumps) {
  const auto begun = weft::steady_clock::now();
  weft::sleep_for(24h);
  CHECK(weft::steady_clock::now() - begun >= 24h);
}

TEST_CASE("passes in a runtime of its own") {
  int sum = 0;
  weft::testing::run([&] { sum = weft::go([] { return 42; }).join(); });
  CHECK(sum == 42);
}

WEFT_TEST_CASE("fails and goes on") {
  const int seats = 7;
  CHECK(seats == 8);
  CHECK(seats == 9);
}

WEFT_TEST_CASE("fails and stops") {
  const int seats = 7;
  REQUIRE(seats == 8);
  throw std::runtime_error("it went on");
}

WEFT_TEST_CASE("fails where time jumps", .time = weft::testing::test_time::jumps) {
  const int seats = 7;
  weft::sleep_for(24h);
  REQUIRE(seats == 8);
  throw std::runtime_error("it went on");
}

WEFT_TEST_CASE("throws") { throw std::out_of_range("no seat in row 7"); }

WEFT_TEST_CASE("hangs", .deadline = 300ms) {
  auto sleeps = weft::go([] { weft::sleep_for(1h); }, {.name = "sleeper"});
  weft::event().wait();
}

WEFT_TEST_CASE("hangs where time jumps", .deadline = 300ms, .time = weft::testing::test_time::jumps) {
  auto waits = weft::go([] { weft::event().wait(); }, {.name = "waiter"});
  for (;;) {
    weft::sleep_for(1h);
    const auto until = std::chrono::steady_clock::now() + 100us;
    while (std::chrono::steady_clock::now() < until) {
    }
  }
}

WEFT_TEST_CASE("leaves a fiber", .deadline = 1s) {
  weft::go([] { weft::sleep_for(1h); }, {.name = "forgotten"}).detach();
}
