#include <weft/fiber/io_handle.hpp>

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <string>

#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

namespace {

using namespace std::chrono_literals;

struct socket_pair {
  socket_pair() {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
  }
  ~socket_pair() {
    close(fds[0]);
    close(fds[1]);
  }
  std::array<int, 2> fds{};
};

TEST(io_handle, waits_until_the_peer_has_written) {
  weft::run([] {
    socket_pair pair;
    weft::io_handle reader(pair.fds[0]);
    std::string got;
    auto reads = weft::go([&] {
      char byte = 0;
      while (got.size() < 3) {
        if (read(pair.fds[0], &byte, 1) == 1) {
          got += byte;
        } else {
          reader.mark_not_readable();
          reader.wait_readable();
        }
      }
    });
    for (const char* byte : {"a", "b", "c"}) {
      weft::yield();
      ASSERT_EQ(write(pair.fds[1], byte, 1), 1);
    }
    reads.join();
    EXPECT_EQ(got, "abc");
  });
}

TEST(io_handle, a_bounded_wait_ends_at_its_bound) {
  weft::run([] {
    socket_pair pair;
    weft::io_handle reader(pair.fds[0]);
    reader.mark_not_readable();
    EXPECT_FALSE(reader.wait_readable_until(weft::deadline_after(2ms)));
    EXPECT_TRUE(reader.wait_writable_until(weft::deadline_after(2ms)));
  });
}

TEST(io_handle, a_second_reader_gets_an_error_that_names_both) {
  weft::run([] {
    socket_pair pair;
    weft::io_handle reader(pair.fds[0]);
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
    ASSERT_EQ(write(pair.fds[1], "x", 1), 1);
    first.join();
  });
}

TEST(io_handle, close_wakes_the_waiters_with_an_error) {
  weft::run([] {
    socket_pair pair;
    weft::io_handle handle(pair.fds[0]);
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
    weft::io_handle handle(pair.fds[0]);
    handle.mark_not_readable();
    auto waits = weft::go([&] { handle.wait_readable(); });
    weft::yield();
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    ASSERT_EQ(write(pair.fds[1], "x", 1), 1);
    handle.wait_readable();
  });
}

TEST(io_handle, a_descriptor_that_cannot_be_polled_is_refused) {
  weft::run([] { EXPECT_THROW(weft::io_handle(-1), weft::error); });
}

TEST(wait_readable, works_in_a_fiber_and_on_a_plain_thread) {
  socket_pair pair;
  EXPECT_FALSE(weft::wait_readable_for(pair.fds[0], 2ms));
  weft::run([&] {
    EXPECT_FALSE(weft::wait_readable_for(pair.fds[0], 2ms));
    auto waits = weft::go([&] { weft::wait_readable(pair.fds[0]); });
    weft::yield();
    ASSERT_EQ(write(pair.fds[1], "x", 1), 1);
    waits.join();
  });
  EXPECT_TRUE(weft::wait_readable_for(pair.fds[0], 2ms));
}

TEST(io_handle, that_outlives_its_run_is_closed) {
  socket_pair pair;
  weft::io_handle kept;
  weft::run([&] { kept = weft::io_handle(pair.fds[0]); });
  try {
    kept.mark_not_readable();
    kept.wait_readable();
    ADD_FAILURE() << "it waited";
  } catch (const weft::error& closed) {
    EXPECT_EQ(closed.code(), weft::errc::closed);
  }
  kept.close();
}

TEST(wait_readable, sees_what_is_ready_also_without_time_to_wait) {
  socket_pair pair;
  ASSERT_EQ(write(pair.fds[1], "x", 1), 1);
  EXPECT_TRUE(weft::wait_readable_for(pair.fds[0], 0ms));
  weft::run([&] {
    EXPECT_TRUE(weft::wait_readable_for(pair.fds[0], 0ms));
    EXPECT_TRUE(weft::wait_writable_for(pair.fds[0], 0ms));
  });
}

}  // namespace
