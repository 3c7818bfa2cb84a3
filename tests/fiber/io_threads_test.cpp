// Handles and waits that cross threads: two runs, each on a thread of its own, and plain threads.

#include <weft/fiber/io_handle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "fiber/scheduler.hpp"
#include "support/descriptors.hpp"
#include "support/expect_error.hpp"

namespace {

using namespace std::chrono_literals;
using weft::errc;

/// A handle made in a loop of its own, which goes on until stop().
class foreign_handle {
 public:
  explicit foreign_handle(int fd)
      : thread_([this, fd] {
          // The end comes from another run or thread, so nothing here can tell that it will come.
          weft::run(
              [this, fd] {
                handle = weft::io_handle(fd);
                made_.set();
                over_.wait();
              },
              {.deadlock_check = false});
        }) {
    made_.wait();
  }
  foreign_handle(const foreign_handle&) = delete;
  foreign_handle& operator=(const foreign_handle&) = delete;
  ~foreign_handle() { stop(); }
  void stop() {
    over_.set();
    if (thread_.joinable()) thread_.join();
  }
  weft::io_handle handle;

 private:
  weft::event made_;
  weft::event over_;
  std::thread thread_;
};

/// Reads `count` bytes, one by one, by the book.
void read_bytes(weft::io_handle& handle, int count) {
  for (char byte = 0; count > 0;) {
    if (read(handle.fd(), &byte, 1) == 1) {
      --count;
      continue;
    }
    handle.mark_not_readable();
    handle.wait_readable();
  }
}

TEST(io_across_loops, no_edge_is_lost_between_a_read_and_its_mark) {
  constexpr int rounds = 3000;
  socket_pair pair;
  foreign_handle owner(pair.here.get());
  test_pipe answers;
  std::thread writer([&] {
    for (int round = 0; round < rounds; ++round) {
      put(pair.there.get(), "x");
      if (round % 3 != 0) continue;  // the reader meets both an empty and a filled socket
      while (drain(answers.reader.get()) == 0) std::this_thread::yield();
    }
  });
  weft::run([&] {
    for (int round = 0; round < rounds; ++round) {
      read_bytes(owner.handle, 1);
      if (round % 3 == 0) put(answers.writer.get(), "x");
    }
  });
  writer.join();
}

TEST(io_across_loops, a_plain_thread_waits_on_a_handle_of_a_run) {
  socket_pair pair;
  foreign_handle owner(pair.here.get());
  std::thread writer([&] {
    for (int round = 0; round < 100; ++round) put(pair.there.get(), "x");
  });
  read_bytes(owner.handle, 100);
  writer.join();
}

TEST(io_across_loops, a_second_reader_in_another_loop_is_refused) {
  socket_pair pair;
  foreign_handle owner(pair.here.get());
  weft::event refused;
  owner.handle.mark_not_readable();
  std::thread second;
  weft::run([&] {
    auto first = weft::go([&] { owner.handle.wait_readable(); }, {.name = "first-reader"});
    weft::yield();
    second = std::thread([&] {
      const auto text = message_of(errc::busy, [&] { owner.handle.wait_readable(); });
      EXPECT_TRUE(has_text(text, "first-reader")) << text;
      refused.set();
    });
    refused.wait();
    put(pair.there.get(), "x");
    first.join();
  });
  second.join();
}

TEST(io_across_loops, close_from_another_loop_wakes_the_waiter) {
  for (int round = 0; round < 100; ++round) {
    socket_pair pair;
    foreign_handle owner(pair.here.get());
    owner.handle.mark_not_readable();
    std::thread closer([&] { weft::run([&] { owner.handle.close(); }); });
    weft::run([&] { message_of(errc::closed, [&] { owner.handle.wait_readable(); }); });
    closer.join();
    EXPECT_FALSE(owner.handle.is_open());
  }
}

TEST(io_across_loops, close_meets_events_waits_and_the_end_of_the_run) {
  for (int round = 0; round < 200; ++round) {
    socket_pair pair;
    foreign_handle owner(pair.here.get());
    std::thread writer([&] {
      for (int count = 0; count < 20; ++count) put(pair.there.get(), "x");
    });
    std::thread reader([&] {
      try {
        read_bytes(owner.handle, 1000);
        ADD_FAILURE() << "read more than was written";
      } catch (const weft::error& closed) {
        EXPECT_EQ(closed.code(), errc::closed);
      }
    });
    std::thread closer([&] {
      if (round % 2 == 0) owner.handle.close();
    });
    if (round % 4 < 2) owner.stop();
    closer.join();
    owner.handle.close();
    reader.join();
    writer.join();
  }
}

TEST(io_across_loops, a_wait_ends_when_the_run_of_its_handle_does) {
  socket_pair pair;
  foreign_handle owner(pair.here.get());
  owner.handle.mark_not_readable();
  weft::event waits;
  std::thread ends([&] {
    waits.wait();
    owner.stop();
  });
  weft::run([&] {
    auto reads = weft::go([&] { owner.handle.wait_readable(); });
    weft::yield();
    waits.set();
    message_of(errc::closed, [&] { reads.join(); });
  });
  ends.join();
}

TEST(io_across_loops, two_loops_wait_for_one_descriptor) {
  test_pipe pipe;
  std::atomic<int> woken{0};
  auto waits = [&] {
    weft::run([&] {
      auto one = weft::go([&] { weft::wait_readable(pipe.reader.get()); });
      one.join();
      ++woken;
    });
  };
  std::thread first(waits);
  std::thread second(waits);
  put(pipe.writer.get(), "x");
  first.join();
  second.join();
  EXPECT_EQ(woken, 2);
}

TEST(poller, counts_the_tasks_that_wait_in_it) {
  test_pipe pipe;
  socket_pair pair;
  weft::run([&] {
    const auto& io = weft::detail::scheduler::current()->io();
    weft::io_handle handle(pair.here.get());
    EXPECT_EQ(io.waiting(), 0U);
    auto one = weft::go([&] { weft::wait_readable(pipe.reader.get()); });
    auto two = weft::go([&] {
      handle.mark_not_readable();
      handle.wait_readable();
    });
    weft::yield();
    EXPECT_EQ(io.waiting(), 2U);
    one.cancel();
    EXPECT_THROW(one.join(), weft::cancelled);
    EXPECT_EQ(io.waiting(), 1U);
    handle.close();
    message_of(errc::closed, [&] { two.join(); });
    EXPECT_EQ(io.waiting(), 0U);
  });
}

}  // namespace
