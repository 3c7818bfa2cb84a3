#include <weft/fiber/wait_set.hpp>

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "support/descriptors.hpp"
#include "support/expect_error.hpp"

namespace {

using namespace std::chrono_literals;
using weft::errc;
using weft::io_events;
using weft::watched_fd;

template <typename Claim>
void in_fiber_and_thread(Claim claim) {
  weft::run(claim);
  claim();
}

std::vector<watched_fd> readers_of(const std::vector<test_pipe>& pipes) {
  std::vector<watched_fd> all;
  for (const auto& one : pipes) all.push_back({one.reader.get(), io_events::readable});
  return all;
}

TEST(wait_any, finds_those_that_are_ready) {
  in_fiber_and_thread([] {
    std::vector<test_pipe> pipes(100);
    auto all = readers_of(pipes);
    put(pipes[7].writer.get(), "x");
    pipes[93].writer.reset();
    EXPECT_EQ(weft::wait_any(all), 2U);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto expected = i == 7 ? io_events::readable : i == 93 ? io_events::hang_up : io_events::none;
      EXPECT_EQ(all[i].ready, expected) << i;
    }
  });
}

TEST(wait_any, waits_for_the_first_of_many) {
  weft::run([] {
    std::vector<test_pipe> pipes(100);
    auto all = readers_of(pipes);
    auto waits = weft::go([&] { return weft::wait_any(all); });
    weft::yield();
    EXPECT_FALSE(waits.done());
    put(pipes[42].writer.get(), "x");
    EXPECT_EQ(waits.join(), 1U);
    EXPECT_EQ(all[42].ready, io_events::readable);
  });
}

TEST(wait_any, a_descriptor_may_be_named_twice) {
  weft::run([] {
    socket_pair pair;
    fill(pair.here.get());
    std::array<watched_fd, 2> all{
        {{pair.here.get(), io_events::readable}, {pair.here.get(), io_events::writable}}};
    auto waits = weft::go([&] { return weft::wait_any(all); });
    weft::yield();
    drain(pair.there.get());
    EXPECT_EQ(waits.join(), 1U);
    EXPECT_EQ(all[0].ready, io_events::none);
    EXPECT_EQ(all[1].ready, io_events::writable);
  });
}

TEST(wait_any, does_not_mind_another_reader) {
  weft::run([] {
    test_pipe pipe;
    std::array<watched_fd, 1> all{{{pipe.reader.get(), io_events::readable}}};
    auto single = weft::go([&] { weft::wait_readable(pipe.reader.get()); });
    auto any = weft::go([&] { return weft::wait_any(all); });
    weft::yield();
    EXPECT_FALSE(single.done() || any.done());
    put(pipe.writer.get(), "x");
    EXPECT_EQ(any.join(), 1U);
    single.join();
  });
}

TEST(wait_any, ends_at_its_bound) {
  in_fiber_and_thread([] {
    std::vector<test_pipe> pipes(3);
    auto all = readers_of(pipes);
    EXPECT_EQ(weft::wait_any_for(all, 2ms), 0U);
    EXPECT_EQ(weft::wait_any_for(all, 0ms), 0U);
  });
}

TEST(wait_any, refuses_what_makes_no_sense) {
  in_fiber_and_thread([] {
    test_pipe pipe;
    message_of(errc::invalid_argument, [] { weft::wait_any({}); });
    std::array<watched_fd, 2> all{{{pipe.reader.get(), io_events::readable}, {-1, io_events::readable}}};
    message_of(errc::invalid_argument, [&] { weft::wait_any(all); });
    all[1] = {pipe.writer.get(), io_events::none};
    message_of(errc::invalid_argument, [&] { weft::wait_any(all); });
    const int closed = test_pipe().reader.get();
    all[1] = {closed, io_events::readable};
    const auto text = message_of(errc::invalid_argument, [&] { weft::wait_any(all); });
    EXPECT_TRUE(has_text(text, std::to_string(closed))) << text;
  });
}

TEST(wait_any, is_a_cancellation_point_that_leaves_nothing) {
  weft::run([] {
    std::vector<test_pipe> pipes(3);
    auto all = readers_of(pipes);
    const int lowest_free = dup(0);
    close(lowest_free);
    auto waits = weft::go([&] { weft::wait_any(all); });
    weft::yield();
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    const weft::unique_fd next(dup(0));
    EXPECT_EQ(next.get(), lowest_free);
    put(pipes[0].writer.get(), "x");
    EXPECT_EQ(weft::wait_any(all), 1U);
  });
}

TEST(wait_set, says_again_what_is_still_ready) {
  in_fiber_and_thread([] {
    test_pipe pipe;
    weft::wait_set set;
    set.add(pipe.reader.get(), io_events::readable);
    EXPECT_TRUE(set.wait_for(2ms).empty());
    put(pipe.writer.get(), "x");
    for (int round = 0; round < 3; ++round) {
      const auto ready = set.wait();
      ASSERT_EQ(ready.size(), 1U);
      EXPECT_EQ(ready[0].fd, pipe.reader.get());
      EXPECT_EQ(ready[0].ready, io_events::readable);
    }
    drain(pipe.reader.get());
    EXPECT_TRUE(set.wait_for(2ms).empty());
  });
}

TEST(wait_set, wakes_for_each_of_many_in_turn) {
  weft::run([] {
    std::vector<test_pipe> pipes(200);
    weft::wait_set set;
    for (const auto& one : pipes) set.add(one.reader.get(), io_events::readable);
    EXPECT_EQ(set.size(), 200U);
    std::set<int> seen;
    auto reads = weft::go([&] {
      while (seen.size() < pipes.size()) {
        for (const auto& one : set.wait()) {
          drain(one.fd);
          seen.insert(one.fd);
        }
      }
    });
    for (const auto& one : pipes) {
      put(one.writer.get(), "x");
      if (one.reader.get() % 3 == 0) weft::yield();
    }
    reads.join();
    EXPECT_EQ(seen.size(), 200U);
  });
}

TEST(wait_set, more_than_a_batch_are_all_seen) {
  weft::run([] {
    std::vector<test_pipe> pipes(weft::wait_set::ready_max * 3);
    weft::wait_set set;
    for (const auto& one : pipes) {
      set.add(one.reader.get(), io_events::readable);
      put(one.writer.get(), "x");
    }
    std::set<int> seen;
    for (int round = 0; round < 3; ++round) {
      for (const auto& one : set.wait()) seen.insert(one.fd);
    }
    EXPECT_EQ(seen.size(), pipes.size());
  });
}

TEST(wait_set, changes_and_forgets) {
  weft::run([] {
    socket_pair pair;
    weft::wait_set set;
    set.add(pair.here.get(), io_events::readable);
    EXPECT_TRUE(set.wait_for(1ms).empty());
    set.change(pair.here.get(), io_events::writable);
    EXPECT_EQ(set.wait().size(), 1U);
    set.remove(pair.here.get());
    set.remove(pair.here.get());
    EXPECT_EQ(set.size(), 0U);
    EXPECT_TRUE(set.wait_for(1ms).empty());
  });
}

TEST(wait_set, names_what_it_refuses) {
  in_fiber_and_thread([] {
    test_pipe pipe;
    weft::wait_set set;
    set.add(pipe.reader.get(), io_events::readable);
    message_of(errc::already_exists, [&] { set.add(pipe.reader.get(), io_events::readable); });
    message_of(errc::not_found, [&] { set.change(pipe.writer.get(), io_events::writable); });
    message_of(errc::invalid_argument, [&] { set.add(pipe.writer.get(), io_events::none); });
    message_of(errc::invalid_argument, [&] { set.add(-1, io_events::readable); });
    const weft::unique_fd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    message_of(errc::unsupported, [&] { set.add(file.get(), io_events::readable); });
  });
}

TEST(wait_set, a_cancelled_wait_leaves_it_usable) {
  weft::run([] {
    test_pipe pipe;
    weft::wait_set set;
    set.add(pipe.reader.get(), io_events::readable);
    auto waits = weft::go([&] { set.wait(); });
    weft::yield();
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    put(pipe.writer.get(), "x");
    EXPECT_EQ(set.wait().size(), 1U);
  });
}

}  // namespace
