#include "workers/frame_writer.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <weft/context/cancellation.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/process/socket.hpp>

#include "workers/on_fiber.hpp"

// A writer whose peer reads when the test wants it to.

namespace {

using weft::no_deadline;
using weft::workers::detail::byte_stream;
using weft::workers::detail::frame_stream;
using weft::workers::detail::frame_writer;
using weft::workers::detail::stream_end;
using weft_test::on_fiber;

constexpr std::size_t frame_bytes = std::size_t{64} * 1024;
// What waits at most, and what the system holds and one task writes.
constexpr std::size_t held_bytes_max = std::size_t{3} << 20U;

struct slow_peer {
  explicit slow_peer(std::pair<weft::unique_fd, weft::unique_fd> ends = weft::process::stream_pair())
      : connection(std::move(ends.first)), peer(std::move(ends.second)) {
    connection.attach();
  }

  stream_end send() {
    const auto ended = writer.wait_for_room(no_deadline);
    if (ended != stream_end::ok) return ended;
    return writer.send(weft::bytes(frame_bytes), no_deadline, false);
  }
  /// Until nobody can go on.
  static void let_all_run() {
    for (int i = 0; i < 1000; ++i) weft::yield();
  }
  void read(std::size_t count) const {
    std::vector<char> piece(frame_bytes);
    while (count > 0) {
      const ssize_t got = ::recv(peer.get(), piece.data(), std::min(count, piece.size()), MSG_DONTWAIT);
      if (got > 0) count -= static_cast<std::size_t>(got);
      if (got <= 0) weft::yield();
    }
  }

  byte_stream connection;
  frame_stream stream{connection, 1000};
  frame_writer writer{stream};
  weft::unique_fd peer;
};

TEST(frame_writer, holds_up_who_writes_more_than_is_read) {
  on_fiber([] {
    slow_peer slow;
    constexpr std::size_t frames_each = 100;
    std::size_t sent = 0;
    std::vector<weft::fiber<void>> senders;
    for (int i = 0; i < 8; ++i) {
      senders.push_back(weft::go([&] {
        for (std::size_t k = 0; k < frames_each; ++k) {
          EXPECT_EQ(slow.send(), stream_end::ok);
          ++sent;
        }
      }));
    }
    slow_peer::let_all_run();
    EXPECT_LE(sent * frame_bytes, held_bytes_max);
    slow.read(senders.size() * frames_each * frame_bytes);
    for (auto& one : senders) one.join();
    EXPECT_EQ(sent, senders.size() * frames_each);
  });
}

// It has said nothing yet, so the others go on.
TEST(frame_writer, one_that_is_cancelled_while_it_waits_for_room_changes_nothing) {
  on_fiber([] {
    slow_peer slow;
    constexpr std::size_t frames = 64;
    for (std::size_t i = 0; i < frames; ++i) slow.writer.post(weft::bytes(frame_bytes));
    auto first = weft::go([&] { EXPECT_EQ(slow.writer.flush(no_deadline), stream_end::ok); });
    slow_peer::let_all_run();
    for (std::size_t i = 0; i < frames; ++i) slow.writer.post(weft::bytes(frame_bytes));
    EXPECT_EQ(slow.writer.wait_for_room(weft::steady_clock::now()), stream_end::timed_out);
    auto waiting = weft::go([&] { slow.send(); });
    slow_peer::let_all_run();
    waiting.cancel();
    EXPECT_THROW(waiting.join(), weft::cancelled);
    slow.read(2 * frames * frame_bytes);
    first.join();
    EXPECT_EQ(slow.send(), stream_end::ok);
  });
}

TEST(frame_writer, whoever_waits_for_room_learns_that_the_peer_has_gone) {
  on_fiber([] {
    slow_peer slow;
    std::vector<weft::fiber<void>> senders;
    for (int i = 0; i < 3; ++i) {
      senders.push_back(weft::go([&] {
        while (slow.send() == stream_end::ok) {
        }
      }));
    }
    slow_peer::let_all_run();
    slow.peer.reset();
    for (auto& one : senders) one.join();
    EXPECT_EQ(slow.writer.wait_for_room(no_deadline), stream_end::closed);
  });
}

}  // namespace
