#include <weft/fiber/dump.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/timer.hpp>
#include <weft/fiber/wait_group.hpp>

namespace {

using namespace std::chrono_literals;

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::size_t times(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; ++at) ++count;
  return count;
}

[[gnu::noinline]] void waits_for_a_value(weft::channel<int>& values) {
  values.pop();
  asm volatile("" ::: "memory");  // no tail call
}

[[gnu::noinline]] void calls_it(weft::channel<int>& values) {
  waits_for_a_value(values);
  asm volatile("" ::: "memory");
}

[[gnu::noinline]] std::string dumps_here(const weft::dump_options& options = {}) {
  std::string text = weft::dump_fibers(options);
  asm volatile("" ::: "memory");
  return text;
}

TEST(dump_fibers, is_empty_outside_a_run) { EXPECT_EQ(weft::dump_fibers(), ""); }

TEST(dump_fibers, shows_the_calls_that_led_a_parked_fiber_to_its_wait) {
  weft::run([] {
    weft::channel<int> values(0);
    weft::scope children;
    children.go([&] { calls_it(values); }, {.name = "reader"});
    weft::yield();
    const std::string text = dumps_here();
    EXPECT_TRUE(has(text, "\"reader\" waits in channel::pop")) << text;
    EXPECT_LT(text.find("waits_for_a_value("), text.find("calls_it(")) << text;
    EXPECT_TRUE(has(text, "calls_it(")) << text;
    values.close();
    children.join();
  });
}

TEST(dump_fibers, shows_the_running_fiber_with_the_caller) {
  weft::run([] {
    const std::string text = dumps_here();
    EXPECT_TRUE(has(text, "\"main\" runs")) << text;
    EXPECT_TRUE(has(text, "::dumps_here")) << text;
  });
}

TEST(dump_fibers, names_as_the_maker_of_a_tick_who_armed_its_timer) {
  weft::run([] {
    std::string text;
    weft::event dumped;
    auto timer = weft::after(1ms,
                             [&] {
                               text = dumps_here();
                               dumped.set();
                             },
                             {.name = "tick"});
    dumped.wait();
    const auto tick = text.find("\"tick\" runs");
    ASSERT_NE(tick, std::string::npos) << text;
    const std::string made = "by fiber " + std::to_string(weft::this_fiber::id()) + " \"main\",";
    EXPECT_EQ(text.find(made, tick), text.find("by ", tick)) << text;
  });
}

TEST(dump_fibers, tells_ready_and_unstarted_fibers_apart) {
  weft::run([] {
    auto ready = weft::go_now([] { weft::yield(); }, {.name = "started"});
    auto fresh = weft::go([] {}, {.name = "fresh"});
    const std::string text = dumps_here();
    EXPECT_TRUE(has(text, "\"started\" is ready")) << text;
    EXPECT_TRUE(has(text, "\"fresh\" has not started")) << text;
  });
}

TEST(dump_fibers, leaves_parked_fibers_as_they_were) {
  int sum = 0;
  weft::run([&] {
    weft::channel<int> values(0);
    weft::scope children;
    for (int i = 0; i < 3; ++i) {
      children.go([&] {
        try {
          throw std::runtime_error("kept");
        } catch (const std::runtime_error&) {
          errno = 7;
          sum += values.pop().value_or(0);
          EXPECT_EQ(errno, 7);
          try {
            throw;
          } catch (const std::runtime_error& again) {
            EXPECT_STREQ(again.what(), "kept");
          }
        }
      });
    }
    weft::yield();
    for (int i = 0; i < 3; ++i) dumps_here();
    for (int i = 1; i <= 3; ++i) values.push(i);
    children.join();
  });
  EXPECT_EQ(sum, 6);
}

TEST(dump_fibers, names_the_place_and_the_chain_of_makers) {
  weft::run([] {
    std::string text;
    int line = 0;
    auto outer = weft::go(
        [&] {
          line = __LINE__ + 1;
          auto inner = weft::go([&] { text = dumps_here(); }, {.name = "inner"});
          inner.join();
        },
        {.name = "outer"});
    outer.join();
    EXPECT_TRUE(has(text, "dump_test.cpp:" + std::to_string(line) + " by fiber ")) << text;
    const auto chain = text.find("\"inner\" runs");
    ASSERT_NE(chain, std::string::npos) << text;
    const auto end_of_line = text.find('\n', text.find("made at", chain));
    const std::string makers = text.substr(chain, end_of_line - chain);
    EXPECT_LT(makers.find("\"outer\""), makers.find("\"main\"")) << makers;
    EXPECT_TRUE(has(makers, "\"main\"")) << makers;
  });
}

TEST(dump_fibers, says_when_the_maker_has_ended) {
  weft::run([] {
    weft::fiber<void> orphan;
    std::uint64_t maker = 0;
    weft::go([&] {
      maker = weft::this_fiber::id();
      orphan = weft::go([] { weft::sleep_for(1h); }, {.name = "orphan"});
    }).join();
    weft::yield();
    const std::string text = dumps_here();
    EXPECT_TRUE(has(text, "by task " + std::to_string(maker) + " (ended, or not of this run)")) << text;
    orphan.cancel();
  });
}

TEST(dump_fibers, counts_all_and_shows_the_oldest_of_very_many) {
  weft::run([] {
    weft::scope children;
    for (int i = 0; i < 100; ++i) children.go([] { weft::sleep_for(1h); });
    weft::yield();
    const std::string text = dumps_here({.fibers_max = 5, .frames_max = 0});
    EXPECT_TRUE(has(text, "101 fibers: 1 runs, 100 waits in sleep")) << text;
    EXPECT_EQ(times(text, "\nfiber "), 5u) << text;
    EXPECT_TRUE(has(text, "and 96 younger fibers")) << text;
    EXPECT_FALSE(has(text, "#0")) << text;
    children.cancel();
    children.join();
  });
}

TEST(dump_fibers, shows_the_stacks_of_fibers_on_every_loop) {
  weft::run(
      [] {
        weft::channel<int> values(0);
        std::atomic<int> parked{0};
        weft::scope children;
        // Each holds its thread until all three run: then each has one of its own.
        for (int i = 0; i < 3; ++i) {
          children.go([&] {
            ++parked;
            while (parked < 3) std::this_thread::yield();
            calls_it(values);
          });
        }
        while (parked < 3) weft::sleep_for(1ms);
        std::string text;
        do {
          weft::sleep_for(1ms);
          text = dumps_here();
        } while (!has(text, "3 waits in channel::pop"));
        EXPECT_EQ(times(text, "waits_for_a_value("), 3u) << text;
        EXPECT_EQ(times(text, "::dumps_here"), 1u) << text;
        values.close();
        children.join();
      },
      {.threads = 4});
}

TEST(dump_fibers, on_several_loops_at_once_give_each_caller_all_stacks) {
  weft::run(
      [] {
        weft::channel<int> values(0);
        weft::scope children;
        auto parked = weft::go([&] { calls_it(values); });
        weft::yield();
        weft::wait_group done;
        for (int i = 0; i < 4; ++i) {
          done.add();
          children.go([&] {
            const std::string text = dumps_here();
            EXPECT_EQ(times(text, "waits_for_a_value("), 1u) << text;
            done.done();
          });
        }
        done.wait();
        values.close();
        parked.join();
        children.join();
      },
      {.threads = 3});
}

[[gnu::noinline]] std::size_t used_with_an_array() {
  char array[20'000];
  asm volatile("" : : "r"(array) : "memory");
  const std::size_t used = weft::this_fiber::stack_used();
  asm volatile("" : : "r"(array) : "memory");
  return used;
}

TEST(stack_figures, tell_what_is_in_use_and_what_was_touched) {
  EXPECT_EQ(weft::this_fiber::stack_bytes(), 0u);
  weft::run(
      [] {
        EXPECT_GT(weft::this_fiber::stack_bytes(), 100'000u);
        EXPECT_LE(weft::this_fiber::stack_bytes(), 128u * 1024);
        const std::size_t before = weft::this_fiber::stack_used();
        EXPECT_GT(before, 0u);
        const std::size_t deep = used_with_an_array();
        EXPECT_GT(deep, before + 20'000);
        EXPECT_LT(weft::this_fiber::stack_used(), 20'000u);
        EXPECT_GE(weft::this_fiber::stack_high_water(), deep);
        EXPECT_LE(weft::this_fiber::stack_high_water(), weft::this_fiber::stack_bytes());
      },
      {.stack_bytes = 128 * 1024});
}

}  // namespace
