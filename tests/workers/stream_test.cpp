#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/closure/closure.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/workers/client.hpp>

#include "workers/on_fiber.hpp"
#include "workers/protocol.hpp"
#include "workers/stream_pieces.hpp"
#include "workers/test_program.hpp"

// Streams of calls: docs/formats/worker.md.

namespace {

using namespace std::chrono_literals;
using weft::errc;
using weft::workers::client;
using weft::workers::detail::stream_pieces;
using weft_test::on_fiber;

TEST(stream, pieces_go_there_and_back_as_they_are) {
  client pool({.min_workers = 1});
  on_fiber([&] {
    auto call = pool.checkout().start<int>("pieces_back");
    const std::vector<std::string> pieces{"one", "", std::string("\0\xff", 2), std::string(200'000, 'p')};
    for (const auto& piece : pieces) {
      EXPECT_TRUE(call.stream().write(piece));
      const auto back = call.stream().read();
      ASSERT_TRUE(back.has_value());
      EXPECT_EQ(weft::as_text(*back), piece);
    }
    call.stream().end_writing();
    EXPECT_FALSE(call.stream().read().has_value());
    EXPECT_EQ(call.get(), 4);
  });
}

TEST(stream, values_are_pieces) {
  client pool({.min_workers = 1});
  on_fiber([&] {
    auto call = pool.checkout().start("numbers", 1000);
    int expected = 0;
    while (const auto number = call.stream().get<int>()) EXPECT_EQ(*number, expected++);
    EXPECT_EQ(expected, 1000);
    call.get();
  });
}

TEST(stream, a_closure_streams_as_well) {
  client pool({.min_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    auto call = held.start(weft::closure{[](weft::workers::caller& client, int times) {
                                           const auto text = client.get<std::string>().value_or("nothing");
                                           for (int i = 0; i < times; ++i) client.put(text);
                                           return times;
                                         },
                                         2});
    call.stream().put(std::string("again"));
    EXPECT_EQ(call.stream().get<std::string>(), "again");
    EXPECT_EQ(call.stream().get<std::string>(), "again");
    EXPECT_EQ(call.get(), 2);
  });
}

void expect_at_most([[maybe_unused]] std::int64_t grown_kib, [[maybe_unused]] std::int64_t max) {
#if !defined(__SANITIZE_ADDRESS__)  // it keeps what was freed, for a while
  EXPECT_LE(grown_kib, max);
#endif
}

// The bound of each end that the specification names.
TEST(stream, a_gibibyte_passes_in_64_mebibytes) {
  constexpr std::uint64_t bytes = std::uint64_t{1} << 30U;
  constexpr std::int64_t growth_kib_max = 64 * 1024;
  client pool({.min_workers = 1, .max_workers = 1, .timeout = 300s});
  on_fiber([&] {
    auto held = pool.checkout();
    const auto here = weft_test::resident_kib();
    const auto there = held.call<std::int64_t>("resident_kib");
    auto call = held.start<std::uint64_t>("count_bytes");
    const std::string piece(std::size_t{1} << 16U, 'x');
    std::int64_t most = 0;
    for (std::uint64_t sent = 0; sent < bytes; sent += piece.size()) {
      if (!call.stream().write(piece)) FAIL() << "after " << sent << " bytes: " << call.get();
      if (sent % (bytes / 16) == 0) most = std::max(most, weft_test::resident_kib());
    }
    call.stream().end_writing();
    EXPECT_EQ(call.get(), bytes);
    expect_at_most(most - here, growth_kib_max);
    expect_at_most(held.call<std::int64_t>("resident_kib") - there, growth_kib_max);
  });
}

// The window is full long before: a writer without a bound would need all the memory.
TEST(stream, the_function_waits_for_a_slow_reader) {
  constexpr std::uint64_t bytes = std::uint64_t{64} << 20U;
  client pool({.min_workers = 1, .timeout = 100s});
  on_fiber([&] {
    auto held = pool.checkout();
    const auto here = weft_test::resident_kib();
    auto call = held.start("write_bytes", bytes);
    std::uint64_t read = 0;
    while (const auto piece = call.stream().read()) {
      read += piece->size();
      if (read % (std::uint64_t{8} << 20U) == 0) held.call("nothing");
    }
    EXPECT_EQ(read, bytes);
    call.get();
    expect_at_most(weft_test::resident_kib() - here, 16 * 1024);
  });
}

TEST(stream, what_nobody_reads_is_passed_over) {
  client pool({.min_workers = 1});
  on_fiber([&] { pool.checkout().start("write_bytes", std::uint64_t{8} << 20U).get(); });
}

TEST(stream, writing_to_a_call_that_has_ended_says_so) {
  client pool({.min_workers = 1});
  on_fiber([&] {
    auto call = pool.checkout().start("nothing");
    const std::string piece(100'000, 'x');
    int written = 0;
    while (call.stream().write(piece)) ASSERT_LT(++written, 1000);
    call.get();
  });
}

// One task reads and takes the answer, another one writes.
TEST(stream, a_writer_beside_the_reader_learns_of_the_end) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    for (int i = 0; i < 20; ++i) {
      auto call = held.start("nothing");
      weft::scope both;
      both.go([&] {
        const std::string piece(100'000, 'x');
        while (call.stream().write(piece)) {
        }
      });
      both.go([&] { call.get(); });
      both.join();
    }
    EXPECT_EQ(pool.statistics().timeouts, 0U);
    EXPECT_EQ(pool.statistics().deaths, 0U);
  });
}

// The worker cannot read while it spins; the writer is given up in the middle of a frame.
TEST(stream, a_write_that_is_cancelled_ends_the_worker_and_not_the_pool) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    auto blocking = held.start("spin");
    auto call = held.start("count_bytes");
    const std::string piece(100'000, 'x');
    EXPECT_THROW(weft::with_timeout(20ms,
                                    [&] {
                                      while (call.stream().write(piece)) {
                                      }
                                    }),
                 weft::deadline_exceeded);
    EXPECT_THROW(held.call("nothing"), weft::error);
    pool.call("nothing");
    EXPECT_EQ(pool.statistics().deaths, 0U);
  });
}

TEST(stream, empty_pieces_are_bounded_too) {
  stream_pieces pieces(std::size_t{1} << 30U);
  EXPECT_THROW(
      {
        for (int i = 0; i < 1'000'000; ++i) pieces.add({}, true);
      },
      weft::error);
}

TEST(stream, a_piece_over_the_limit_is_an_error_here) {
  client pool({.min_workers = 1, .message_bytes_max = 70'000});
  on_fiber([&] {
    auto held = pool.checkout();
    auto call = held.start("pieces_back");
    call.stream().write(std::string(70'001, 'x'));
    try {
      call.stream().read();
      ADD_FAILURE() << "no error";
    } catch (const weft::error& failed) {
      EXPECT_EQ(failed.code(), errc::too_large) << failed.what();
    }
    EXPECT_THROW(held.call("nothing"), weft::error);
  });
}

TEST(stream, a_call_that_is_dropped_is_given_up) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    const auto pid = held.call<std::int64_t>("pid");
    { auto dropped = held.start("count_bytes"); }
    EXPECT_EQ(held.call<std::int64_t>("pid"), pid);
  });
}

TEST(stream, progress_is_told_in_order_before_the_answer) {
  client pool({.min_workers = 1});
  on_fiber([&] {
    std::vector<std::string> said;
    auto held = pool.checkout({.on_progress = [&](const weft::workers::progress& step) {
      said.push_back(std::to_string(static_cast<int>(step.done * 100)) + " " + step.text);
    }});
    EXPECT_EQ(held.call<int>("steps", 4), 4);
    EXPECT_EQ(said, (std::vector<std::string>{"25 step 1", "50 step 2", "75 step 3", "100 step 4"}));
  });
}

// More notes come before the answer of the other call than are kept, whatever fits into the connection.
TEST(stream, progress_that_nobody_waits_for_is_bounded_and_counted) {
  constexpr int steps = 100'000;
  client pool({.min_workers = 1, .max_workers = 1, .timeout = 100s});
  on_fiber([&] {
    std::uint64_t told = 0;
    std::uint64_t dropped = 0;
    double latest = 0;
    auto held = pool.checkout({.on_progress = [&](const weft::workers::progress& step) {
      ++told;
      dropped += step.dropped;
      EXPECT_GT(step.done, latest);
      latest = step.done;
    }});
    auto call = held.start<int>("steps", steps);
    held.call("nothing");
    EXPECT_EQ(call.get(), steps);
    EXPECT_GT(dropped, 0U);
    EXPECT_EQ(told + dropped, static_cast<std::uint64_t>(steps));
    EXPECT_EQ(latest, 1.0);
  });
}

TEST(stream, the_end_of_the_worker_ends_the_streams) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    auto call = held.start("count_bytes");
    EXPECT_THROW(held.call("die_by", SIGKILL), weft::workers::worker_died);
    EXPECT_THROW(call.get(), weft::workers::worker_died);
  });
}

using weft::workers::detail::stream_part_overhead;
constexpr std::uint64_t half_window = weft::workers::detail::stream_window_bytes / 2;

// With what each part takes beside its bytes.
weft::bytes half() { return weft::bytes(half_window - stream_part_overhead); }

TEST(stream_pieces, more_than_the_window_is_refused) {
  stream_pieces pieces(std::size_t{1} << 30U);
  pieces.add(half(), true);
  pieces.add(half(), true);
  EXPECT_THROW(pieces.add({}, true), weft::error);
}

TEST(stream_pieces, room_comes_back_when_a_piece_is_taken) {
  stream_pieces pieces(std::size_t{1} << 30U);
  pieces.add(half(), true);
  EXPECT_EQ(pieces.take_grant(), 0U);
  EXPECT_EQ(pieces.take()->size(), half().size());
  EXPECT_EQ(pieces.take_grant(), half_window);
}

// Only the piece that its reader waits for may be longer than the window.
TEST(stream_pieces, a_long_piece_gets_room_while_it_comes_unless_others_wait) {
  stream_pieces alone(std::size_t{1} << 30U);
  alone.add(half(), false);
  EXPECT_EQ(alone.take_grant(), half_window);
  stream_pieces behind(std::size_t{1} << 30U);
  behind.add(weft::bytes(1), true);
  behind.add(half(), false);
  EXPECT_EQ(behind.take_grant(), 0U);
  behind.take();
  EXPECT_EQ(behind.take_grant(), half_window + 1 + stream_part_overhead);
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
