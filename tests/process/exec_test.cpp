#include <weft/process/exec.hpp>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/process/socket.hpp>

#include "support/expect_error.hpp"
#include "support/in_fiber_and_thread.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;
using weft::errc;
using weft::exec;
using weft::process::exit_status;
using weft::process::shell;
using weft::process::stream_target;

/// A pipe whose end shows that all who had its other end are gone.
struct life_line {
  stream_target target() const { return stream_target::descriptor(pipe.writer.get()); }
  /// Waits for the end; gives what was written.
  std::string wait_for_end() {
    pipe.writer.reset();
    return weft::process::pipe_reader(std::move(pipe.reader)).read_all(1024);
  }
  weft::process::pipe_ends pipe = weft::process::make_pipe();
};

TEST(exec, gives_status_and_output) {
  in_fiber_and_thread([] {
    const auto done = exec(shell("echo out; echo err >&2; exit 3"));
    EXPECT_EQ(done.status, exit_status::exited(3));
    EXPECT_FALSE(done.ok());
    EXPECT_EQ(done.out, "out\n");
    EXPECT_EQ(done.err, "err\n");
    EXPECT_TRUE(exec({"true"}).ok());
  });
}

TEST(exec, passes_arguments_as_they_are) {
  in_fiber_and_thread([] {
    EXPECT_EQ(exec({"printf", "%s|", "a b", "$HOME", "*", ""}).out, "a b|$HOME|*||");
  });
}

TEST(exec, tells_a_signal_from_a_status) {
  in_fiber_and_thread([] { EXPECT_EQ(exec(shell("kill -9 $$")).status, exit_status::signaled(SIGKILL)); });
}

TEST(exec, moves_more_than_a_pipe_holds_in_both_directions) {
  in_fiber_and_thread([] {
    std::string input;
    while (input.size() < 1'000'000) input += "line " + std::to_string(input.size()) + '\n';
    const auto done = exec({"cat"}, {.input = input});
    EXPECT_TRUE(done.ok());
    EXPECT_EQ(done.out, input);
  });
}

TEST(exec, input_that_is_not_read_is_dropped) {
  in_fiber_and_thread([] {
    const auto done = exec({"head", "-c", "1"}, {.input = std::string(1'000'000, 'x')});
    EXPECT_TRUE(done.ok());
    EXPECT_EQ(done.out, "x");
    EXPECT_TRUE(exec({"true"}, {.input = std::string(1'000'000, 'x')}).ok());
  });
}

TEST(exec, without_an_input_there_is_nothing_to_read) {
  in_fiber_and_thread([] { EXPECT_EQ(exec({"cat"}).out, ""); });
}

TEST(exec, merged_streams_keep_their_order) {
  in_fiber_and_thread([] {
    const auto done =
        exec(shell("echo 1; echo 2 >&2; echo 3"), {.program = {.err = stream_target::merged()}});
    EXPECT_EQ(done.out, "1\n2\n3\n");
    EXPECT_EQ(done.err, "");
  });
}

TEST(exec, streams_may_lead_elsewhere) {
  in_fiber_and_thread([] {
    life_line err;
    const auto done = exec(shell("echo lost; echo kept >&2"),
                           {.program = {.out = stream_target::null(), .err = err.target()}});
    EXPECT_EQ(done.out, "");
    EXPECT_EQ(err.wait_for_end(), "kept\n");
  });
}

TEST(exec, gets_directory_environment_and_limits) {
  in_fiber_and_thread([] {
    const auto done = exec(
        shell("pwd; echo $WEFT_EXEC; ulimit -n"),
        {.program = {
             .directory = "/usr", .environment = {"WEFT_EXEC=here"}, .resource_limits = {.open_files = 44}}});
    EXPECT_EQ(done.out, "/usr\nhere\n44\n");
  });
}

TEST(exec, a_child_that_closes_its_output_early_is_waited_for) {
  in_fiber_and_thread([] {
    const auto done = exec(shell("echo first; exec >&- 2>&-; cat > /dev/null; exit 4"), {.input = "some\n"});
    EXPECT_EQ(done.out, "first\n");
    EXPECT_EQ(done.status, exit_status::exited(4));
  });
}

TEST(exec, does_not_wait_for_what_is_left_behind) {
  in_fiber_and_thread([] {
    life_line background;
    // The one left behind has stdout open, and lives until its stdin ends.
    auto gate = weft::process::make_pipe();
    const auto done =
        exec(shell("cat <&0 & echo started"),
             {.program = {.in = stream_target::descriptor(gate.reader.get()), .err = background.target()}});
    EXPECT_TRUE(done.ok());
    EXPECT_EQ(done.out, "started\n");
    gate.writer.reset();
    background.wait_for_end();
  });
}

TEST(exec, output_over_its_bound_is_an_error_that_names_it) {
  in_fiber_and_thread([] {
    life_line err;
    const auto text = message_of(errc::too_large, [&] {
      exec(shell("yes; true"), {.output_bytes_max = 1000, .program = {.err = err.target()}});
    });
    EXPECT_TRUE(has_text(text, "yes; true") && has_text(text, "1000") && has_text(text, "output_bytes_max"))
        << text;
    err.wait_for_end();
  });
}

TEST(exec, output_over_its_bound_may_be_cut_off) {
  in_fiber_and_thread([] {
    const auto done = exec(shell("head -c 300000 /dev/zero; echo fine >&2"),
                           {.output_bytes_max = 1000, .truncate_output = true});
    EXPECT_TRUE(done.ok());
    EXPECT_EQ(done.out, std::string(1000, '\0'));
    EXPECT_TRUE(done.out_truncated);
    EXPECT_EQ(done.err, "fine\n");
    EXPECT_FALSE(done.err_truncated);
  });
}

TEST(exec, of_output_over_its_bound_the_end_may_be_kept) {
  in_fiber_and_thread([] {
    const auto done = exec(shell("head -c 300000 /dev/zero; echo last; seq 1 3 >&2"),
                           {.output_bytes_max = 1000, .truncate_output = true, .keep_end = true});
    EXPECT_EQ(done.out, std::string(995, '\0') + "last\n");
    EXPECT_TRUE(done.out_truncated);
    EXPECT_EQ(done.err, "1\n2\n3\n");
    EXPECT_FALSE(done.err_truncated);
    const auto exact =
        exec(shell("printf 12345"), {.output_bytes_max = 5, .truncate_output = true, .keep_end = true});
    EXPECT_EQ(exact.out, "12345");
    EXPECT_FALSE(exact.out_truncated);
  });
}

TEST(exec, leaves_what_was_printed_where_it_gives_up) {
  weft::exec_result so_far;
  EXPECT_THROW(exec(shell("printf oops >&2; printf 1234567; exec sleep 1000"),
                    {.output_bytes_max = 5, .until_given_up = &so_far}),
               weft::error);
  EXPECT_EQ(so_far.out, "12345");
}

TEST(exec, a_bound_that_is_reached_exactly_is_no_error) {
  in_fiber_and_thread([] {
    EXPECT_EQ(exec({"head", "-c", "1000", "/dev/zero"}, {.output_bytes_max = 1000}).out.size(), 1000U);
  });
}

TEST(exec, a_timeout_ends_the_whole_group) {
  in_fiber_and_thread([] {
    life_line err;
    const auto text = message_of(errc::timed_out, [&] {
      exec(shell("sleep 1000 & sleep 1000"), {.timeout = 50ms, .program = {.err = err.target()}});
    });
    EXPECT_TRUE(has_text(text, "sleep 1000") && has_text(text, "50 ms")) << text;
    err.wait_for_end();
  });
}

TEST(exec, a_child_that_ignores_the_polite_signal_is_killed) {
  in_fiber_and_thread([] {
    life_line err;
    message_of(errc::timed_out, [&] {
      exec(shell("trap '' TERM; while :; do sleep 1000; done"),
           {.timeout = 50ms, .program = {.err = err.target(), .grace = 20ms}});
    });
    err.wait_for_end();
  });
}

TEST(exec, a_cancellation_ends_the_whole_group) {
  weft::testing::run([] {
    for (int round = 0; round < 5; ++round) {
      life_line err;
      auto runs = weft::go([&] {
        exec(shell("echo ready >&2; sleep 1000 & cat"),
             {.input = std::string(1'000'000, 'x'), .program = {.err = err.target()}});
      });
      for (int turn = 0; turn < round; ++turn) weft::yield();
      runs.cancel();
      EXPECT_THROW(runs.join(), weft::cancelled);
      err.wait_for_end();
    }
  });
}

TEST(exec, a_deadline_of_the_task_ends_it) {
  in_fiber_and_thread([] {
    life_line err;
    EXPECT_THROW(
        weft::with_timeout(50ms, [&] { exec(shell("sleep 1000"), {.program = {.err = err.target()}}); }),
        weft::deadline_exceeded);
    err.wait_for_end();
  });
}

TEST(exec, two_hundred_at_once) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  const rlimit former = files;
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  weft::testing::run([] {
    weft::scope all;
    for (int i = 0; i < 200; ++i) {
      all.go([i] {
        const auto number = std::to_string(i);
        EXPECT_EQ(exec({"cat"}, {.input = number}).out, number);
      });
    }
    all.join();
  });
  ::setrlimit(RLIMIT_NOFILE, &former);
}

TEST(exec, from_several_loops_and_threads) {
  const weft::testing::leak_check leaks;
  const auto some = [](int from) {
    for (int i = from; i < from + 20; ++i) {
      EXPECT_EQ(exec({"echo", std::to_string(i)}).out, std::to_string(i) + '\n');
    }
  };
  std::thread plain([&] { some(1000); });
  weft::testing::run(
      [&] {
        weft::scope all;
        for (int i = 0; i < 4; ++i) all.go([&some, i] { some(i * 100); });
        all.join();
      },
      {.threads = 2, .check_process = false});  // that of the other thread has its own
  plain.join();
  EXPECT_EQ(leaks.found(), "");
}

TEST(exec, without_descriptors_left_fails_and_leaves_none) {
  if (sanitized) GTEST_SKIP() << "the sanitizer asks by a pipe whether memory is there, and has none left";
  in_fiber_and_thread([] {
    rlimit files{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
    const rlimit former = files;
    const int next = ::dup(0);
    ::close(next);
    for (int room = 0; room < 6; ++room) {
      files.rlim_cur = static_cast<rlim_t>(next + room);
      ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
      try {
        exec({"/bin/true"});
        EXPECT_GE(room, 4);
      } catch (const weft::error& refused) {
        EXPECT_EQ(weft::to_string(refused.code()), weft::to_string(errc::resource_exhausted))
            << refused.message();
      }
      ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &former), 0);
      const int next_now = ::dup(0);
      ::close(next_now);
      EXPECT_EQ(next_now, next) << "with room for " << room;
    }
  });
}

TEST(exec, says_what_it_cannot_start) {
  in_fiber_and_thread([] {
    const auto text = message_of(errc::not_found, [] { exec({"weft-no-such-program"}); });
    EXPECT_TRUE(has_text(text, "weft-no-such-program") && has_text(text, ::getenv("PATH"))) << text;
    const auto in_its_path =
        message_of(errc::not_found, [] { exec({"sh"}, {.program = {.environment = {"PATH=/nowhere"}}}); });
    EXPECT_TRUE(has_text(in_its_path, "/nowhere")) << in_its_path;
    message_of(errc::not_found, [] { exec({"true"}, {.program = {.directory = "/nowhere"}}); });
    message_of(errc::invalid_argument, [] { exec({}); });
    message_of(errc::invalid_argument, [] { exec({"true"}, {.program = {.out = stream_target::merged()}}); });
    message_of(errc::invalid_argument,
               [] { exec({"cat"}, {.input = "x", .program = {.in = stream_target::inherit()}}); });
  });
}

TEST(exec, is_refused_where_waiting_is) {
  weft::testing::run([] {
    const weft::no_wait_scope here("a transaction");
    message_of(errc::misuse, [] { exec({"sleep", "1000"}, {.program = {.grace = 1h}}); });
  });
}

}  // namespace
