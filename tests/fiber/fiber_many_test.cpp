#include <weft/fiber/fiber.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>

#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec user_spec{.name = "test.fiber_many_user"};
const weft::key<int> user{user_spec};
constexpr weft::key_spec shared_spec{.name = "test.fiber_shared"};
const weft::key<std::shared_ptr<int>> shared{shared_spec};

TEST(fiber, many_at_once_run_and_end) {
  const int count = sanitized ? 2'000 : 100'000;
  int ran = 0;
  weft::run([&] {
    weft::event open;
    std::vector<weft::fiber<void>> all;
    for (int i = 0; i < count; ++i) {
      all.push_back(weft::go([&] {
        open.wait();
        ++ran;
      }));
    }
    weft::yield();
    open.set();
    for (auto& one : all) one.join();
    EXPECT_EQ(weft::statistics().fibers, 1U);
  });
  EXPECT_EQ(ran, count);
}

TEST(fiber, those_that_never_wait_share_one_stack) {
  weft::run([] {
    std::vector<weft::fiber<void>> all;
    for (int i = 0; i < 1000; ++i) all.push_back(weft::go([] {}));
    for (auto& one : all) one.join();
    EXPECT_LE(weft::statistics().stacks, 3U);
  });
}

/// Runs a chain of fibers, each of which starts the next one and ends; gives the blocks of memory that
/// were not given back while it ran, at its end.
template <typename Link>
std::size_t alive_after_chain(int links, Link link) {
  auto counted = std::make_shared<int>(0);
  std::size_t alive_at_end = 0;
  weft::run([&] { link(link, links, counted, alive_at_end); });
  return alive_at_end;
}

TEST(fiber, a_chain_in_which_each_starts_the_next_keeps_no_ended_link) {
  const auto link = [](auto& self, int left, std::shared_ptr<int> counted, std::size_t& alive) -> void {
    alive = static_cast<std::size_t>(counted.use_count());
    if (left == 0) return;
    // The result of the fiber holds one count for as long as the fiber's block lives.
    weft::go([&self, left, counted, &alive] {
      self(self, left - 1, counted, alive);
      return counted;
    });
  };
  EXPECT_LE(alive_after_chain(sanitized ? 2'000 : 1'000'000, link), 10U);
}

TEST(fiber, a_chain_in_which_each_binds_a_value_and_starts_the_next_keeps_few_links) {
  const auto link = [](auto& self, int left, std::shared_ptr<int> counted, std::size_t& alive) -> void {
    alive = static_cast<std::size_t>(counted.use_count());
    if (left == 0) return;
    EXPECT_EQ(user.value_or(left + 1), left + 1);
    const weft::scoped_value bound{user, left};
    weft::go([&self, left, counted, &alive] {
      self(self, left - 1, counted, alive);
      return counted;
    });
  };
  EXPECT_LE(alive_after_chain(sanitized ? 2'000 : 100'000, link), 100U);
}

TEST(fiber, whose_function_cannot_be_copied_leaves_nothing_behind) {
  struct fails_to_copy {
    fails_to_copy() = default;
    fails_to_copy(const fails_to_copy&) { throw std::runtime_error("copy"); }
    void operator()() const {}
  } const function;
  auto counted = std::make_shared<int>(0);
  weft::run([&] {
    const weft::cancel_scope scope;
    const weft::scoped_value bound{shared, counted};
    EXPECT_THROW(weft::go(function), std::runtime_error);
  });
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(fiber, a_result_that_nobody_takes_may_wait_when_it_ends) {
  struct waits_at_its_end {
    waits_at_its_end() = default;
    waits_at_its_end(waits_at_its_end&& other) noexcept : ended(std::exchange(other.ended, nullptr)) {}
    ~waits_at_its_end() {
      if (ended == nullptr) return;
      weft::sleep_for(2ms);
      *ended = true;
    }
    bool* ended = nullptr;
  };
  bool ended = false;
  weft::run([&] {
    weft::go([&] {
      waits_at_its_end value;
      value.ended = &ended;
      return value;
    });
  });
  EXPECT_TRUE(ended);
}

TEST(fiber, a_deep_line_of_descendants_is_shut_down_quickly) {
  const int depth = sanitized ? 500 : 50'000;
  int unwound = 0;
  const auto descend = [&](auto& self, int left) -> void {
    if (left == 0) return;
    auto child = weft::go([&] { self(self, left - 1); });
    try {
      weft::sleep_for(1h);
    } catch (const weft::cancelled&) {
      ++unwound;
      throw;
    }
  };
  const auto start = weft::steady_clock::now();
  EXPECT_THROW(weft::run([&] {
                 weft::go([&] { descend(descend, depth); });
                 while (weft::statistics().fibers < static_cast<std::size_t>(depth)) weft::yield();
                 throw std::runtime_error("main");
               }),
               std::runtime_error);
  EXPECT_GE(unwound, depth - 3);
  EXPECT_LT(weft::steady_clock::now() - start, 5s);
}

}  // namespace
