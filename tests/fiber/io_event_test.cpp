#include <weft/fiber/io_event.hpp>

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <thread>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/io_handle.hpp>
#include <weft/fiber/run.hpp>

#include "support/descriptors.hpp"
#include "support/expect_error.hpp"

namespace {

using namespace std::chrono_literals;
using weft::errc;
using weft::io_events;

/// Runs a claim in a fiber, and then on a plain thread.
template <typename Claim>
void in_fiber_and_thread(Claim claim) {
  weft::run(claim);
  claim();
}

TEST(wait_event, gives_the_set_of_what_holds) {
  in_fiber_and_thread([] {
    socket_pair pair;
    const auto both = io_events::readable | io_events::writable;
    EXPECT_EQ(weft::wait_event(pair.here.get(), both), io_events::writable);
    put(pair.there.get(), "x");
    EXPECT_EQ(weft::wait_event(pair.here.get(), both), both);
    EXPECT_EQ(weft::wait_event(pair.here.get(), io_events::readable), io_events::readable);
  });
}

TEST(wait_event, waits_until_one_of_them_holds) {
  weft::run([] {
    socket_pair pair;
    fill(pair.here.get());
    auto waits = weft::go(
        [&] { return weft::wait_event(pair.here.get(), io_events::readable | io_events::writable); });
    weft::yield();
    EXPECT_FALSE(waits.done());
    put(pair.there.get(), "x");
    EXPECT_EQ(waits.join(), io_events::readable);
    EXPECT_GT(drain(pair.there.get()), 0U);
    EXPECT_EQ(weft::wait_event(pair.here.get(), io_events::writable), io_events::writable);
  });
}

TEST(wait_event, asked_for_nothing_is_refused) {
  in_fiber_and_thread(
      [] { message_of(errc::invalid_argument, [] { weft::wait_event(0, io_events::none); }); });
}

TEST(wait_event, names_a_descriptor_that_is_not_open) {
  in_fiber_and_thread([] {
    const int closed = test_pipe().reader.get();
    const auto text =
        message_of(errc::invalid_argument, [&] { weft::wait_event(closed, io_events::readable); });
    EXPECT_TRUE(has_text(text, "descriptor " + std::to_string(closed))) << text;
    message_of(errc::invalid_argument, [] { weft::wait_readable(-1); });
  });
}

TEST(wait_event, reports_a_hang_up_and_an_error_unasked) {
  in_fiber_and_thread([] {
    test_pipe gone_writer;
    gone_writer.writer.reset();
    EXPECT_EQ(weft::wait_event(gone_writer.reader.get(), io_events::readable), io_events::hang_up);
    test_pipe gone_reader;
    gone_reader.reader.reset();
    EXPECT_TRUE(has(weft::wait_event(gone_reader.writer.get(), io_events::writable), io_events::error));
  });
}

TEST(wait_event, a_hang_up_ends_the_wait) {
  weft::run([] {
    test_pipe pipe;
    auto waits = weft::go([&] { return weft::wait_event(pipe.reader.get(), io_events::readable); });
    weft::yield();
    EXPECT_FALSE(waits.done());
    pipe.writer.reset();
    EXPECT_EQ(waits.join(), io_events::hang_up);
  });
}

/// Two ends of a TCP connection: out-of-band data needs one.
struct tcp_pair {
  tcp_pair() {
    const weft::unique_fd listening(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof at;
    auto* const generic = reinterpret_cast<sockaddr*>(&at);
    EXPECT_EQ(bind(listening.get(), generic, bytes), 0);
    EXPECT_EQ(listen(listening.get(), 1), 0);
    EXPECT_EQ(getsockname(listening.get(), generic, &bytes), 0);
    here = weft::unique_fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(here.get(), generic, bytes), 0);
    there = weft::unique_fd(accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  weft::unique_fd here;
  weft::unique_fd there;
};

TEST(wait_event, out_of_band_data_is_of_priority) {
  weft::run([] {
    tcp_pair pair;
    auto waits = weft::go([&] { return weft::wait_event(pair.here.get(), io_events::priority); });
    weft::yield();
    EXPECT_FALSE(waits.done());
    ASSERT_EQ(send(pair.there.get(), "!", 1, MSG_OOB), 1);
    EXPECT_EQ(waits.join(), io_events::priority);
  });
}

TEST(wait_event, ends_at_its_bound_and_looks_once_without_one) {
  in_fiber_and_thread([] {
    test_pipe pipe;
    EXPECT_EQ(weft::wait_event_for(pipe.reader.get(), io_events::readable, 2ms), io_events::none);
    EXPECT_EQ(weft::wait_event_for(pipe.reader.get(), io_events::readable, 0ms), io_events::none);
    EXPECT_EQ(weft::wait_event_for(pipe.reader.get(), io_events::readable, -1h), io_events::none);
    put(pipe.writer.get(), "x");
    EXPECT_EQ(weft::wait_event_for(pipe.reader.get(), io_events::readable, 0ms), io_events::readable);
  });
}

TEST(wait_readable, works_in_a_fiber_and_on_a_plain_thread) {
  socket_pair pair;
  EXPECT_FALSE(weft::wait_readable_for(pair.here.get(), 2ms));
  weft::run([&] {
    EXPECT_FALSE(weft::wait_readable_for(pair.here.get(), 2ms));
    auto waits = weft::go([&] { weft::wait_readable(pair.here.get()); });
    weft::yield();
    put(pair.there.get(), "x");
    waits.join();
  });
  EXPECT_TRUE(weft::wait_readable_for(pair.here.get(), 2ms));
}

TEST(wait_readable, a_regular_file_always_is) {
  weft::run([] {
    const weft::unique_fd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    weft::wait_readable(file.get());
  });
}

TEST(wait_event, a_reader_and_a_writer_share_a_descriptor) {
  weft::run([] {
    socket_pair pair;
    fill(pair.here.get());
    auto reads = weft::go([&] { weft::wait_readable(pair.here.get()); });
    auto writes = weft::go([&] { weft::wait_writable(pair.here.get()); });
    weft::yield();
    EXPECT_FALSE(reads.done() || writes.done());
    put(pair.there.get(), "x");
    reads.join();
    EXPECT_FALSE(writes.done());
    drain(pair.there.get());
    writes.join();
  });
}

TEST(wait_event, a_second_reader_gets_an_error_that_names_both) {
  weft::run([] {
    test_pipe pipe;
    auto first = weft::go([&] { weft::wait_readable(pipe.reader.get()); }, {.name = "first-reader"});
    weft::yield();
    auto second = weft::go([&] { weft::wait_readable(pipe.reader.get()); }, {.name = "late-reader"});
    const std::string first_task = std::to_string(first.id()) + " \"first-reader\"";
    const std::string second_task = std::to_string(second.id()) + " \"late-reader\"";
    const auto text = message_of(errc::busy, [&] { second.join(); });
    EXPECT_TRUE(has_text(text, first_task)) << text;
    EXPECT_TRUE(has_text(text, second_task)) << text;
    put(pipe.writer.get(), "x");
    first.join();
  });
}

TEST(wait_event, works_beside_an_io_handle) {
  weft::run([] {
    socket_pair pair;
    weft::io_handle handle(pair.here.get());
    weft::yield();
    auto reads = weft::go([&] { weft::wait_readable(pair.here.get()); });
    weft::yield();
    EXPECT_FALSE(reads.done());
    put(pair.there.get(), "x");
    reads.join();
    EXPECT_EQ(drain(pair.here.get()), 1U);
    // The handle goes on as if nobody else had been there.
    handle.wait_readable();
    handle.mark_not_readable();
    EXPECT_FALSE(handle.wait_readable_until(weft::deadline_after(2ms)));
    put(pair.there.get(), "x");
    EXPECT_TRUE(handle.wait_readable_until(weft::deadline_after(10s)));
  });
}

TEST(wait_event, an_edge_that_the_handle_has_seen_is_not_waited_for) {
  weft::run([] {
    socket_pair pair;
    weft::io_handle handle(pair.here.get());
    put(pair.there.get(), "x");
    handle.mark_not_readable();
    handle.wait_readable();
    weft::wait_readable(pair.here.get());
  });
}

TEST(wait_event, is_busy_where_the_handle_has_a_reader) {
  weft::run([] {
    socket_pair pair;
    weft::io_handle handle(pair.here.get());
    handle.mark_not_readable();
    auto first = weft::go([&] { handle.wait_readable(); }, {.name = "handle-reader"});
    weft::yield();
    const auto text = message_of(errc::busy, [&] { weft::wait_readable(pair.here.get()); });
    EXPECT_TRUE(has_text(text, "handle-reader")) << text;
    put(pair.there.get(), "x");
    first.join();
  });
}

TEST(wait_event, goes_on_when_a_handle_is_made_meanwhile) {
  weft::run([] {
    socket_pair pair;
    auto reads = weft::go([&] { weft::wait_readable(pair.here.get()); });
    weft::yield();
    weft::io_handle handle(pair.here.get());
    put(pair.there.get(), "x");
    reads.join();
    handle.wait_readable();
    EXPECT_EQ(drain(pair.here.get()), 1U);
    handle.mark_not_readable();
    EXPECT_FALSE(handle.wait_readable_until(weft::deadline_after(2ms)));
  });
}

TEST(wait_event, ends_with_the_handle_of_its_descriptor) {
  weft::run([] {
    socket_pair pair;
    weft::io_handle handle(pair.here.get());
    auto reads = weft::go([&] { weft::wait_readable(pair.here.get()); });
    weft::yield();
    handle.close();
    message_of(errc::closed, [&] { reads.join(); });
    put(pair.there.get(), "x");
    weft::wait_readable(pair.here.get());
  });
}

TEST(wait_event, whose_descriptor_was_closed_behind_it_ends_when_the_number_is_used_again) {
  weft::run([] {
    test_pipe former;
    test_pipe latter;
    const int number = former.reader.get();
    auto waits = weft::go([&] { weft::wait_readable(number); });
    weft::yield();
    // A copy keeps the former file, and so the kernel's registration, alive.
    const weft::unique_fd copy(dup(number));
    ASSERT_EQ(dup2(latter.reader.get(), number), number);
    auto again = weft::go([&] { weft::wait_readable(number); });
    message_of(errc::closed, [&] { waits.join(); });
    put(former.writer.get(), "x");
    for (int turn = 0; turn < 200; ++turn) weft::yield();
    EXPECT_FALSE(again.done());
    put(latter.writer.get(), "x");
    again.join();
  });
}

TEST(wait_event, is_a_cancellation_point_that_leaves_nothing) {
  weft::run([] {
    test_pipe pipe;
    for (int round = 0; round < 3; ++round) {
      auto waits = weft::go([&] { weft::wait_event(pipe.reader.get(), io_events::readable); });
      weft::yield();
      waits.cancel();
      EXPECT_THROW(waits.join(), weft::cancelled);
    }
    EXPECT_THROW(weft::with_timeout(2ms, [&] { weft::wait_readable(pipe.reader.get()); }),
                 weft::deadline_exceeded);
    put(pipe.writer.get(), "x");
    weft::wait_readable(pipe.reader.get());
  });
}

TEST(wait_event, sees_a_cancellation_before_it_looks) {
  in_fiber_and_thread([] {
    socket_pair pair;
    weft::cancel_scope given_up;
    given_up.cancel();
    EXPECT_THROW(weft::wait_writable(pair.here.get()), weft::cancelled);
  });
}

TEST(wait_event, on_a_plain_thread_can_be_cancelled) {
  test_pipe pipe;
  weft::cancel_scope scope;
  std::thread other([&] { scope.cancel(); });
  EXPECT_THROW(weft::wait_readable(pipe.reader.get()), weft::cancelled);
  other.join();
}

TEST(wait_event, is_refused_where_waiting_is) {
  weft::run([] {
    test_pipe pipe;
    const weft::no_wait_scope here("a transaction");
    const auto text = message_of(errc::misuse, [&] { weft::wait_readable(pipe.reader.get()); });
    EXPECT_TRUE(has_text(text, "a transaction")) << text;
  });
}

}  // namespace
