#include <weft/process/program.hpp>

#include <array>
#include <csignal>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/process/socket.hpp>

#include "support/expect_error.hpp"
#include "support/in_fiber_and_thread.hpp"

namespace {

using namespace std::chrono_literals;
using weft::errc;
using weft::process::exit_status;
using weft::process::pipe_reader;
using weft::process::pipe_writer;
using weft::process::program;
using weft::process::shell;
using weft::process::stream_target;

TEST(program, is_talked_to_line_by_line) {
  in_fiber_and_thread([] {
    program echo({"cat"}, {.in = stream_target::pipe()});
    for (const std::string line : {"one", "two", ""}) {
      EXPECT_TRUE(echo.in().write_all(line + '\n'));
      EXPECT_EQ(echo.out().read_line(), line);
    }
    EXPECT_TRUE(echo.in().write_all("no end"));
    echo.in().close();
    EXPECT_EQ(echo.out().read_line(), "no end");
    EXPECT_EQ(echo.out().read_line(), std::nullopt);
    EXPECT_EQ(echo.wait(), exit_status::exited(0));
  });
}

TEST(program, its_lines_come_while_other_fibers_run) {
  weft::testing::run([] {
    program echo({"cat"}, {.in = stream_target::pipe()});
    auto reads = weft::go([&] { return echo.out().read_line(); });
    weft::yield();
    EXPECT_FALSE(reads.done());
    EXPECT_FALSE(echo.try_wait());
    echo.in().write_all("come\n");
    EXPECT_EQ(reads.join(), "come");
    echo.in().close();
    echo.wait();
  });
}

TEST(program, a_wait_has_a_bound) {
  in_fiber_and_thread([] {
    program echo({"cat"}, {.in = stream_target::pipe()});
    EXPECT_FALSE(echo.wait_for(2ms));
    std::array<char, 8> piece;
    EXPECT_EQ(echo.out().read_some_until(piece, weft::deadline_after(2ms)), std::nullopt);
    echo.in().close();
    EXPECT_EQ(echo.wait(), exit_status::exited(0));
    EXPECT_EQ(echo.wait(), exit_status::exited(0));
    EXPECT_FALSE(echo.kill(SIGTERM));
  });
}

TEST(program, a_cancelled_wait_leaves_it_running) {
  weft::testing::run([] {
    program echo({"cat"}, {.in = stream_target::pipe()});
    auto waits = weft::go([&] { echo.wait(); });
    auto reads = weft::go([&] { echo.out().read_line(); });
    weft::yield();
    waits.cancel();
    reads.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    EXPECT_THROW(reads.join(), weft::cancelled);
    echo.in().write_all("alive\n");
    EXPECT_EQ(echo.out().read_line(), "alive");
    echo.in().close();
    EXPECT_EQ(echo.wait(), exit_status::exited(0));
  });
}

TEST(program, terminate_is_polite_first) {
  in_fiber_and_thread([] {
    program polite(shell("trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.01; done"),
                   {.grace = 1h});
    EXPECT_EQ(polite.out().read_line(), "ready");
    EXPECT_EQ(polite.terminate(), exit_status::exited(5));
    EXPECT_EQ(polite.out().read_line(), "bye");
    EXPECT_EQ(polite.terminate(), exit_status::exited(5));
  });
}

TEST(program, terminate_kills_what_ignores_it_with_all_of_its_group) {
  in_fiber_and_thread([] {
    program stubborn(
        shell("trap '' TERM; (while :; do sleep 1000; done) & echo ready; while :; do sleep 1000; done"),
        {.err = stream_target::merged(), .grace = 10ms});
    EXPECT_EQ(stubborn.out().read_line(), "ready");
    EXPECT_EQ(stubborn.terminate(), exit_status::signaled(SIGKILL));
    EXPECT_EQ(stubborn.out().read_line(), std::nullopt);  // the end: nobody has the pipe any more
  });
}

TEST(program, terminate_is_not_cancelled_itself) {
  weft::testing::run([] {
    program one({"sleep", "1000"});
    weft::cancel_scope given_up;
    given_up.cancel();
    EXPECT_EQ(one.terminate(), exit_status::signaled(SIGTERM));
  });
}

TEST(program, one_that_is_dropped_is_killed_with_its_group) {
  in_fiber_and_thread([] {
    auto line = weft::process::make_pipe();
    {
      program dropped(shell("trap '' TERM; sleep 1000 & echo ready; wait"),
                      {.err = stream_target::descriptor(line.writer.get())});
      EXPECT_EQ(dropped.out().read_line(), "ready");
    }
    line.writer.reset();
    EXPECT_EQ(pipe_reader(std::move(line.reader)).read_all(100), "");
  });
}

TEST(program, one_that_is_dropped_where_waiting_is_not_allowed_is_killed_too) {
  weft::testing::run([] {
    std::optional<program> one(std::in_place, std::vector<std::string>{"sleep", "1000"});
    const weft::no_wait_scope here("a transaction");
    one.reset();
  });
}

TEST(program, made_outside_a_run_is_waited_for_inside) {
  program echo({"cat"}, {.in = stream_target::pipe()});
  weft::testing::run([&] {
    auto reads = weft::go([&] { return echo.out().read_line(); });
    weft::yield();
    EXPECT_FALSE(reads.done());
    echo.in().write_all("x\n");
    EXPECT_EQ(reads.join(), "x");
    echo.in().close();
    EXPECT_EQ(echo.wait(), exit_status::exited(0));
  });
}

TEST(pipe_reader, a_line_over_the_bound_is_an_error_and_loses_nothing) {
  in_fiber_and_thread([] {
    const std::size_t many = pipe_reader::line_bytes_max * 2;
    program source({"head", "-c", std::to_string(many), "/dev/zero"});
    message_of(errc::too_large, [&] { source.out().read_line(); });
    EXPECT_EQ(source.out().read_all(many).size(), many);
    EXPECT_TRUE(source.wait().is_exited());
  });
}

TEST(pipe_reader, reading_all_has_a_bound) {
  in_fiber_and_thread([] {
    program source({"yes"});
    const auto text = message_of(errc::too_large, [&] { source.out().read_all(1000); });
    EXPECT_TRUE(has_text(text, "1000")) << text;
  });
}

TEST(pipe_writer, says_when_nobody_reads_and_raises_no_signal) {
  in_fiber_and_thread([] {
    auto both = weft::process::make_pipe();
    pipe_writer writer(std::move(both.writer));
    both.reader.reset();
    EXPECT_FALSE(writer.write_all("x"));
    sigset_t pending;
    ::sigpending(&pending);
    EXPECT_EQ(::sigismember(&pending, SIGPIPE), 0);
    writer.close();
    message_of(errc::closed, [&] { writer.write_all("x"); });
  });
}

TEST(pipe_writer, waits_while_the_pipe_is_full) {
  weft::testing::run([] {
    auto both = weft::process::make_pipe();
    pipe_writer writer(std::move(both.writer));
    pipe_reader reader(std::move(both.reader));
    const std::string much(1'000'000, 'x');
    auto writes = weft::go([&] {
      EXPECT_TRUE(writer.write_all(much));
      writer.close();
    });
    weft::yield();
    EXPECT_FALSE(writes.done());
    EXPECT_EQ(reader.read_all(much.size()), much);
    writes.join();
  });
}

}  // namespace
