#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <initializer_list>
#include <thread>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>
#include <weft/log/log.hpp>
#include <weft/log/sink.hpp>

#include "core/still_oracle.hpp"
#include "log/memory_sink.hpp"

namespace weft::log {
namespace {

using namespace std::chrono_literals;
constexpr auto long_enough = 20s;

void message_line(const record& from, std::string& out) { out += from.message + "\n"; }

std::shared_ptr<const record> a_record(std::string message) {
  auto made = std::make_shared<record>();
  made->message = std::move(message);
  return made;
}

/// A pipe; the test reads one end.
class pipe_pair {
 public:
  pipe_pair() { EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0); }
  pipe_pair(const pipe_pair&) = delete;
  pipe_pair& operator=(const pipe_pair&) = delete;
  ~pipe_pair() {
    close_reader();
    close_writer();
  }
  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  void close_reader() { close_end(0); }
  void close_writer() { close_end(1); }

  /// Makes the next write wait; gives the number of bytes to read to end that.
  std::size_t fill() const {
    fcntl(writer(), F_SETFL, O_NONBLOCK);
    const std::string junk(4096, '.');
    std::size_t total = 0;
    for (ssize_t wrote = 0; (wrote = ::write(writer(), junk.data(), junk.size())) > 0;)
      total += static_cast<std::size_t>(wrote);
    fcntl(writer(), F_SETFL, 0);
    return total;
  }
  void drain(std::size_t bytes) const {
    std::string junk(4096, '\0');
    while (bytes > 0) {
      const ssize_t got = read(reader(), junk.data(), std::min(bytes, junk.size()));
      ASSERT_GT(got, 0);
      bytes -= static_cast<std::size_t>(got);
    }
  }
  /// All that was written, once the writing end is closed.
  std::string rest() {
    close_writer();
    std::string all, part(4096, '\0');
    for (ssize_t got = 0; (got = read(reader(), part.data(), part.size())) > 0;)
      all.append(part, 0, static_cast<std::size_t>(got));
    return all;
  }

 private:
  void close_end(int which) {
    if (ends_[which] >= 0) close(ends_[which]);
    ends_[which] = -1;
  }
  int ends_[2] = {-1, -1};
};

int log_threads() {
  int found = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::ifstream(task.path() / "comm") >> name;
    if (name == "weft-log") ++found;
  }
  return found;
}

TEST(line_sink, writes_every_record_in_order_through_its_formatter) {
  pipe_pair pipe;
  std::string expected;
  line_sink sink({.fd = pipe.writer()}, message_line);
  for (int n = 0; n < 1000; ++n) {
    sink.accept(a_record(std::to_string(n)));
    expected += std::to_string(n) + "\n";
  }
  EXPECT_TRUE(sink.flush(long_enough));
  EXPECT_EQ(pipe.rest(), expected);
  EXPECT_EQ(sink.dropped(), 0U);
}

TEST(line_sink, writes_what_is_queued_when_it_is_destroyed) {
  pipe_pair pipe;
  {
    line_sink sink({.fd = pipe.writer()}, message_line);
    for (int n = 0; n < 100; ++n) sink.accept(a_record("x"));
  }
  EXPECT_EQ(pipe.rest().size(), 200U);
}

TEST(line_sink, a_full_queue_drops_and_counts_and_says_so_and_nobody_waits) {
  pipe_pair pipe;
  const std::size_t junk = pipe.fill();
  std::promise<void> stuck;
  std::uint64_t told = 0;  // dropped records that the sink's own lines speak of
  line_sink sink({.fd = pipe.writer(), .queue_records_max = 3}, [&](const record& from, std::string& out) {
    if (from.message == "0") stuck.set_value();
    for (const auto& each : from.fields) told += std::get<std::uint64_t>(each.value);
    if (from.fields.empty()) message_line(from, out);
  });
  sink.accept(a_record("0"));
  stuck.get_future().wait();  // the thread has taken it, and cannot write it
  for (int n = 1; n <= 5; ++n) sink.accept(a_record(std::to_string(n)));
  EXPECT_EQ(sink.dropped(), 2U);
  EXPECT_FALSE(sink.flush(1ms));
  pipe.drain(junk);
  EXPECT_TRUE(sink.flush(long_enough));
  EXPECT_EQ(told, 2U);
  EXPECT_EQ(pipe.rest(), "0\n1\n2\n3\n");
}

TEST(line_sink, a_flush_waits_for_what_was_accepted_before_it) {
  pipe_pair pipe;
  const std::size_t junk = pipe.fill();
  line_sink sink({.fd = pipe.writer()}, message_line);
  sink.accept(a_record("a"));
  auto flushed = std::async(std::launch::async, [&] { return sink.flush(long_enough); });
  auto too_short = std::async(std::launch::async, [&] { return sink.flush(5ms); });
  EXPECT_FALSE(too_short.get());
  EXPECT_EQ(flushed.wait_for(0s), std::future_status::timeout);
  pipe.drain(junk);
  EXPECT_TRUE(flushed.get());
  EXPECT_EQ(pipe.rest(), "a\n");
}

TEST(line_sink, a_flush_where_nothing_may_wait_is_an_error_and_harms_nothing) {
  pipe_pair pipe;
  const std::size_t junk = pipe.fill();
  line_sink sink({.fd = pipe.writer()}, message_line);
  sink.accept(a_record("a"));
  {
    const no_wait_scope here("a transaction");
    EXPECT_THROW(sink.flush(long_enough), weft::error);
    sink.accept(a_record("b"));
  }
  pipe.drain(junk);
  EXPECT_TRUE(sink.flush(long_enough));
  EXPECT_EQ(pipe.rest(), "a\nb\n");
}

TEST(line_sink, a_descriptor_that_does_not_block_gets_everything_too) {
  pipe_pair pipe;
  fcntl(pipe.writer(), F_SETFL, O_NONBLOCK);
  line_sink sink({.fd = pipe.writer()}, message_line);
  const std::string line(1000, 'x');
  for (int n = 0; n < 200; ++n) sink.accept(a_record(line));
  pipe.drain(200 * 1001);
  EXPECT_TRUE(sink.flush(long_enough));
  EXPECT_EQ(sink.dropped(), 0U);
}

TEST(line_sink, a_closed_pipe_costs_the_records_and_not_the_program) {
  pipe_pair pipe;
  line_sink sink({.fd = pipe.writer()}, message_line);
  pipe.close_reader();
  sink.accept(a_record("lost"));
  EXPECT_TRUE(sink.flush(long_enough));
  EXPECT_EQ(sink.dropped(), 1U);
}

TEST(line_sink, a_formatter_that_throws_costs_one_record) {
  pipe_pair pipe;
  line_sink sink({.fd = pipe.writer()}, [](const record& from, std::string& out) {
    out += "half";
    if (from.message == "bad") throw std::runtime_error("bad");
    out += from.message + "\n";
  });
  for (const auto* each : {"1", "bad", "2"}) sink.accept(a_record(each));
  EXPECT_TRUE(sink.flush(long_enough));
  EXPECT_EQ(sink.dropped(), 1U);
  const std::string all = pipe.rest();
  EXPECT_EQ(all.find("half1\n"), 0U);
  EXPECT_NE(all.find("half2\n"), std::string::npos);
  EXPECT_EQ(all.find("halfhalf"), std::string::npos);
}

/// A file that holds only so many bytes while the limit is in force, as on a disk that is full.
class bounded_file {
 public:
  explicit bounded_file(rlim_t bytes_max)
      : fd_(::open("/tmp", O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600)) {
    EXPECT_GE(fd_, 0);
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
    rlimit bounded = before_;
    bounded.rlim_cur = bytes_max;
    on_excess_ = std::signal(SIGXFSZ, SIG_IGN);
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &bounded), 0);
  }
  bounded_file(const bounded_file&) = delete;
  bounded_file& operator=(const bounded_file&) = delete;
  ~bounded_file() {
    make_room();
    std::signal(SIGXFSZ, on_excess_);
    close(fd_);
  }
  int fd() const { return fd_; }
  void make_room() const { EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before_), 0); }
  std::string content() const {
    std::string all(4096, '\0');
    const ssize_t got = pread(fd_, all.data(), all.size(), 0);
    all.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return all;
  }

 private:
  int fd_;
  rlimit before_{};
  void (*on_excess_)(int) = SIG_DFL;
};

/// Accepts `records` in one batch.
void accept_at_once(line_sink& sink, std::promise<void>& stuck, std::promise<void>& go_on,
                    std::initializer_list<const char*> records) {
  sink.accept(a_record("0"));
  stuck.get_future().wait();  // the thread has taken it
  for (const auto* each : records) sink.accept(a_record(each));
  go_on.set_value();
  EXPECT_TRUE(sink.flush(long_enough));
}

TEST(line_sink, a_line_that_a_full_disk_cut_is_ended_and_only_what_is_not_there_counts_as_dropped) {
  const bounded_file file(12);  // "0", "whole" and four bytes
  std::promise<void> stuck, go_on;
  line_sink sink({.fd = file.fd()}, [&](const record& from, std::string& out) {
    if (from.message == "0") {
      stuck.set_value();
      go_on.get_future().wait();
    }
    if (from.fields.empty()) message_line(from, out);  // the sink's own lines have some
  });
  accept_at_once(sink, stuck, go_on, {"whole", "cut-here", "lost"});
  EXPECT_EQ(file.content(), "0\nwhole\ncut-");
  EXPECT_EQ(sink.dropped(), 2U);
  sink.accept(a_record("no room"));
  EXPECT_TRUE(sink.flush(long_enough));
  EXPECT_EQ(sink.dropped(), 3U);
  file.make_room();
  for (const auto* each : {"after", "that"}) sink.accept(a_record(each));
  EXPECT_TRUE(sink.flush(long_enough));
  EXPECT_EQ(file.content(), "0\nwhole\ncut-\nafter\nthat\n");
  EXPECT_EQ(sink.dropped(), 3U);
}

TEST(line_sink, a_file_that_was_emptied_after_a_cut_line_begins_with_a_record) {
  const bounded_file file(4);
  line_sink sink({.fd = file.fd()}, [](const record& from, std::string& out) {
    if (from.fields.empty()) message_line(from, out);
  });
  sink.accept(a_record("cut-here"));
  EXPECT_TRUE(sink.flush(long_enough));
  EXPECT_EQ(file.content(), "cut-");
  file.make_room();
  ASSERT_EQ(ftruncate(file.fd(), 0), 0);
  sink.accept(a_record("after"));
  EXPECT_TRUE(sink.flush(long_enough));
  EXPECT_EQ(file.content(), "after\n");
}

/// Writes two records with a formatter that logs to its own sink, flushes it, and waits.
void write_by_formatter_that_turns_back(pipe_pair& pipe) {
  line_sink* self = nullptr;
  bool flushed = true;
  int refused = 0;
  line_sink sink({.fd = pipe.writer()}, [&](const record& from, std::string& out) {
    if (from.message == "outer") {
      self->accept(a_record("inner"));
      flushed = self->flush(long_enough);
      try {
        weft::detail::require_wait_allowed("a test");
      } catch (const weft::error&) {
        ++refused;
      }
    }
    if (from.fields.empty()) message_line(from, out);
  });
  self = &sink;
  sink.accept(a_record("outer"));
  sink.accept(a_record("last"));
  EXPECT_TRUE(sink.flush(long_enough));
  EXPECT_EQ(pipe.rest(), "outer\nlast\n");
  EXPECT_EQ(sink.dropped(), 1U);
  EXPECT_FALSE(flushed);
  EXPECT_EQ(refused, 1);
}

TEST(line_sink, a_formatter_that_logs_or_waits_stops_nothing) {
  pipe_pair pipe;
  write_by_formatter_that_turns_back(pipe);
}

TEST(line_sink, a_formatter_that_logs_or_waits_stops_nothing_where_the_caller_writes) {
  const weft::detail::still_oracle simulated;  // there the sink has no thread
  pipe_pair pipe;
  write_by_formatter_that_turns_back(pipe);
}

TEST(line_sink, its_thread_starts_with_the_first_record_ends_with_pause_and_starts_again) {
  pipe_pair pipe;
  line_sink sink({.fd = pipe.writer()}, message_line);
  EXPECT_EQ(log_threads(), 0);
  sink.accept(a_record("1"));
  EXPECT_EQ(log_threads(), 1);
  sink.pause(long_enough);
  EXPECT_EQ(log_threads(), 0);
  sink.accept(a_record("2"));
  EXPECT_EQ(log_threads(), 1);
  EXPECT_TRUE(sink.flush(long_enough));
  EXPECT_EQ(pipe.rest(), "1\n2\n");
}

TEST(line_sink, takes_from_many_threads_while_it_is_paused_and_flushed) {
  pipe_pair pipe;
  std::atomic<std::size_t> lines{0};
  auto reader = std::async(std::launch::async, [&] {
    std::string part(65536, '\0');
    for (ssize_t got = 0; (got = read(pipe.reader(), part.data(), part.size())) > 0;) {
      lines += static_cast<std::size_t>(std::count(part.begin(), part.begin() + got, '\n'));
    }
  });
  constexpr int threads = 3;
  constexpr int writes = 1000;
  {
    line_sink sink({.fd = pipe.writer()}, message_line);
    std::vector<std::thread> writers;
    for (int t = 0; t < threads; ++t) {
      writers.emplace_back([&] {
        for (int n = 0; n < writes; ++n) sink.accept(a_record("a line"));
      });
    }
    for (int n = 0; n < 20; ++n) sink.pause(long_enough);
    for (auto& each : writers) each.join();
    EXPECT_TRUE(sink.flush(long_enough));
    EXPECT_EQ(sink.dropped(), 0U);
  }
  pipe.close_writer();
  reader.get();
  EXPECT_EQ(lines, static_cast<std::size_t>(threads * writes));
}

/// Runs `work` in a forked child; its result is the child's status.
template <typename Work>
int status_of_child(Work work) {
  const pid_t child = fork();
  if (child == 0) {
    int status = 99;
    try {
      status = work();
    } catch (...) {
    }
    _exit(status);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(log_fork, a_child_does_not_write_to_the_parents_sinks_and_may_add_its_own) {
  testing::only_sink parents;
  pipe_pair pipe;
  const int status = status_of_child([&] {
    remove_all_sinks();
    info("nobody");
    add_sink(std::make_shared<line_sink>(line_sink_options{.fd = pipe.writer()}, message_line));
    info("from the child");
    return parents->take().empty() && flush(long_enough) ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(pipe.rest(), "from the child\n");
}

TEST(log_fork, a_sink_of_the_parent_is_dead_in_the_child_and_does_not_hang_it) {
  pipe_pair pipe;
  auto sink = std::make_shared<line_sink>(line_sink_options{.fd = pipe.writer()}, message_line);
  remove_all_sinks();
  add_sink(sink);
  info("parent");
  const int status = status_of_child([&] {
    sink->accept(a_record("child"));
    const bool is_dead = sink->dropped() == 1 && sink->flush(1ms);
    sink->pause(1ms);
    sink.reset();
    return is_dead ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(flush(long_enough));
  remove_all_sinks();
  sink.reset();
  EXPECT_EQ(pipe.rest(), "parent\n");
}

TEST(log_fork, paused_sinks_leave_one_thread_and_the_default_is_back_in_the_child) {
  pipe_pair pipe;
  add_sink(std::make_shared<line_sink>(line_sink_options{.fd = pipe.writer()}, message_line));
  info("parent");
  pause_sinks(long_enough);
  EXPECT_EQ(log_threads(), 0);
  const int status = status_of_child([&] {
    dup2(pipe.writer(), STDERR_FILENO);
    after_fork_child();
    info("child");
    return flush(long_enough) ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
  info("parent again");
  EXPECT_TRUE(flush(long_enough));
  remove_all_sinks();
  const auto all = pipe.rest();
  EXPECT_EQ(all.find("parent\n"), 0U);
  EXPECT_NE(all.find("info     child"), std::string::npos);
  EXPECT_NE(all.find("\nparent again\n"), std::string::npos);
}

}  // namespace
}  // namespace weft::log
