#include "workers/native_channel.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <weft/core/error.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

// A channel whose worker is this test.

namespace {

using namespace weft::workers::detail;
using weft::steady_clock;

std::pair<weft::unique_fd, weft::unique_fd> socket_pair() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  return {weft::unique_fd(ends[0]), weft::unique_fd(ends[1])};
}

struct open_channel {
  explicit open_channel(std::pair<weft::unique_fd, weft::unique_fd> ends = socket_pair())
      : connection(std::move(ends.first)), worker(std::move(ends.second)) {
    connection.attach();
  }

  void answer(const call_slot& which, frame_type type = frame_type::answer) const {
    weft::bytes out;
    write_plain(out, type, which.id);
    ASSERT_EQ(::send(worker.get(), out.data(), out.size(), 0), static_cast<ssize_t>(out.size()));
  }
  stream_end receive(call_slot& of, weft::steady_time until) {
    arrived_frame got;
    return channel.receive(of, got, until);
  }

  byte_stream connection;
  frame_stream stream{connection, 1000};
  native_channel channel{stream};
  weft::unique_fd worker;
};

// A run with two open calls; `body` gets the channel, and both.
template <typename Body>
void with_two_calls(Body body) {
  EXPECT_EQ(weft::run([&] {
              open_channel open;
              call_slot one(false);
              call_slot other(false);
              open.channel.open(one);
              open.channel.open(other);
              body(open, one, other);
              open.channel.close(one);
              open.channel.close(other);
            }),
            0);
}

// It came while the loop was busy, and the loop has not looked yet.
TEST(native_channel, an_answer_that_has_come_is_no_timeout) {
  EXPECT_EQ(weft::run([] {
              open_channel open;
              call_slot one(false);
              open.channel.open(one);
              EXPECT_EQ(open.receive(one, steady_clock::now()), stream_end::timed_out);
              open.answer(one);
              EXPECT_EQ(open.receive(one, steady_clock::now()), stream_end::ok);
              EXPECT_EQ(open.receive(one, steady_clock::now()), stream_end::timed_out);
              open.channel.close(one);
            }),
            0);
}

TEST(native_channel, an_answer_that_has_come_is_no_timeout_beside_one_that_reads) {
  with_two_calls([](open_channel& open, call_slot& one, call_slot& other) {
    auto reading = weft::go([&] { EXPECT_EQ(open.receive(one, weft::no_deadline), stream_end::ok); });
    weft::yield();
    EXPECT_EQ(open.receive(other, steady_clock::now()), stream_end::timed_out);
    open.answer(other);
    EXPECT_EQ(open.receive(other, steady_clock::now()), stream_end::ok);
    open.answer(one);
    reading.join();
  });
}

// The one that looks takes the reader's answer out of the socket, which then wakes nobody.
TEST(native_channel, an_answer_that_another_one_took_reaches_the_one_that_reads) {
  with_two_calls([](open_channel& open, call_slot& one, call_slot& other) {
    auto reading = weft::go([&] { EXPECT_EQ(open.receive(one, weft::no_deadline), stream_end::ok); });
    weft::yield();
    open.answer(one);
    open.answer(other);
    EXPECT_EQ(open.receive(other, steady_clock::now()), stream_end::ok);
    reading.join();
  });
}

// Whoever of them reads when it comes.
TEST(native_channel, what_cannot_be_read_ends_it_for_all) {
  with_two_calls([](open_channel& open, call_slot& one, call_slot& other) {
    auto reading = weft::go([&] { EXPECT_THROW(open.receive(one, weft::no_deadline), weft::error); });
    weft::yield();
    open.answer(other, frame_type::data_out_end);
    open.answer(other, frame_type::data_out_end);
    EXPECT_EQ(open.receive(other, weft::no_deadline), stream_end::ok);
    EXPECT_THROW(open.receive(other, weft::no_deadline), weft::error);
    reading.join();
  });
}

TEST(native_channel, the_end_of_the_connection_ends_it_for_all) {
  with_two_calls([](open_channel& open, call_slot& one, call_slot& other) {
    auto reading = weft::go([&] { EXPECT_EQ(open.receive(one, weft::no_deadline), stream_end::closed); });
    weft::yield();
    open.worker.reset();
    EXPECT_EQ(open.receive(other, weft::no_deadline), stream_end::closed);
    reading.join();
  });
}

}  // namespace
