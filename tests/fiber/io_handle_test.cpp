#include <weft/fiber/io_handle.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>

#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "support/descriptors.hpp"
#include "support/expect_error.hpp"

namespace {

using namespace std::chrono_literals;

TEST(io_handle, waits_until_the_peer_has_written) {
  weft::run([] {
    socket_pair pair;
    weft::io_handle reader(pair.here.get());
    std::string got;
    auto reads = weft::go([&] {
      char byte = 0;
      while (got.size() < 3) {
        if (read(pair.here.get(), &byte, 1) == 1) {
          got += byte;
        } else {
          reader.mark_not_readable();
          reader.wait_readable();
        }
      }
    });
    for (const char* byte : {"a", "b", "c"}) {
      weft::yield();
      ASSERT_EQ(write(pair.there.get(), byte, 1), 1);
    }
    reads.join();
    EXPECT_EQ(got, "abc");
  });
}

TEST(io_handle, a_bounded_wait_ends_at_its_bound) {
  weft::run([] {
    socket_pair pair;
    weft::io_handle reader(pair.here.get());
    reader.mark_not_readable();
    EXPECT_FALSE(reader.wait_readable_until(weft::deadline_after(2ms)));
    EXPECT_TRUE(reader.wait_writable_until(weft::deadline_after(2ms)));
  });
}

TEST(io_handle, a_second_reader_gets_an_error_that_names_both) {
  weft::run([] {
    socket_pair pair;
    weft::io_handle reader(pair.here.get());
    reader.mark_not_readable();
    auto first = weft::go([&] { reader.wait_readable(); }, {.name = "first-reader"});
    weft::yield();
    try {
      reader.wait_readable();
      ADD_FAILURE() << "the second reader waited";
    } catch (const weft::error& refused) {
      EXPECT_EQ(refused.code(), weft::errc::busy);
      EXPECT_NE(std::string(refused.what()).find("first-reader"), std::string::npos);
    }
    ASSERT_EQ(write(pair.there.get(), "x", 1), 1);
    first.join();
  });
}

TEST(io_handle, close_wakes_the_waiters_with_an_error) {
  weft::run([] {
    socket_pair pair;
    weft::io_handle handle(pair.here.get());
    handle.mark_not_readable();
    auto waits = weft::go([&] { handle.wait_readable(); });
    weft::yield();
    handle.close();
    handle.close();
    try {
      waits.join();
      ADD_FAILURE();
    } catch (const weft::error& closed) {
      EXPECT_EQ(closed.code(), weft::errc::closed);
    }
  });
}

TEST(io_handle, a_cancelled_wait_leaves_it_usable) {
  weft::run([] {
    socket_pair pair;
    weft::io_handle handle(pair.here.get());
    handle.mark_not_readable();
    auto waits = weft::go([&] { handle.wait_readable(); });
    weft::yield();
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    ASSERT_EQ(write(pair.there.get(), "x", 1), 1);
    handle.wait_readable();
  });
}

TEST(io_handle, that_outlives_its_run_is_closed) {
  socket_pair pair;
  weft::io_handle kept;
  weft::run([&] { kept = weft::io_handle(pair.here.get()); });
  try {
    kept.mark_not_readable();
    kept.wait_readable();
    ADD_FAILURE() << "it waited";
  } catch (const weft::error& closed) {
    EXPECT_EQ(closed.code(), weft::errc::closed);
  }
  kept.close();
}

TEST(io_handle, refuses_what_it_cannot_watch_and_says_why) {
  weft::run([] {
    message_of(weft::errc::invalid_argument, [] { weft::io_handle(-1); });
    const int closed = test_pipe().reader.get();
    message_of(weft::errc::invalid_argument, [&] { weft::io_handle{closed}; });
    const weft::unique_fd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    message_of(weft::errc::unsupported, [&] { weft::io_handle{file.get()}; });
  });
  message_of(weft::errc::invalid_argument, [] { weft::io_handle(-1); });
  message_of(weft::errc::invalid_argument, [] { weft::io_handle().wait_readable(); });
}

TEST(io_handle, one_for_a_descriptor) {
  weft::run([] {
    socket_pair pair;
    weft::io_handle first(pair.here.get());
    message_of(weft::errc::already_exists, [&] { weft::io_handle{pair.here.get()}; });
    first.close();
    const weft::io_handle second(pair.here.get());
    EXPECT_TRUE(second.is_open());
  });
}

TEST(io_handle, whose_descriptor_was_closed_without_it_makes_room_for_the_next) {
  weft::run([] {
    test_pipe former;
    test_pipe latter;
    const int number = former.reader.get();
    weft::io_handle stale(number);
    stale.mark_not_readable();
    auto waits = weft::go([&] { stale.wait_readable(); });
    weft::yield();
    const weft::unique_fd copy(dup(number));  // keeps the former registration in the kernel
    ASSERT_EQ(dup2(latter.reader.get(), number), number);
    weft::io_handle fresh(number);
    message_of(weft::errc::closed, [&] { waits.join(); });
    EXPECT_FALSE(stale.is_open());
    fresh.mark_not_readable();
    put(former.writer.get(), "x");
    EXPECT_FALSE(fresh.wait_readable_until(weft::deadline_after(2ms)));
    stale.close();
    put(latter.writer.get(), "x");
    fresh.wait_readable();
  });
}

TEST(io_handle, the_end_of_a_pipe_that_comes_with_its_last_bytes_is_not_lost) {
  weft::run([] {
    test_pipe pipe;
    weft::io_handle reader(pipe.reader.get());
    reader.mark_not_readable();
    put(pipe.writer.get(), "abc");
    pipe.writer.reset();
    reader.wait_readable();
    std::array<char, 16> bytes{};
    EXPECT_EQ(read(pipe.reader.get(), bytes.data(), bytes.size()), 3);
    reader.mark_not_readable();  // as after any short read
    EXPECT_TRUE(reader.wait_readable_until(weft::deadline_after(10s)));
    EXPECT_EQ(read(pipe.reader.get(), bytes.data(), bytes.size()), 0);
  });
}

TEST(io_handle, made_outside_a_run_blocks_its_thread) {
  socket_pair pair;
  weft::io_handle handle(pair.here.get());
  EXPECT_FALSE(handle.is_open());
  EXPECT_EQ(handle.fd(), pair.here.get());
  EXPECT_FALSE(handle.wait_readable_until(weft::deadline_after(1ms)));
  std::thread closes([&] { handle.close(); });
  message_of(weft::errc::closed, [&] { handle.wait_readable(); });
  closes.join();
}

}  // namespace
