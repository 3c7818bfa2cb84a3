#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

#include <weft/closure/closure.hpp>
#include <weft/core/clock.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/jobs/control.hpp>
#include <weft/jobs/queue.hpp>

// What the tests of several hosts and their workers, processes of their own, have in common.

namespace weft::jobs {

/// Where each run of a job leaves a line, whatever becomes of it: "host job microseconds". Beside it, in
/// PATH.stops, are the lines of those that ask for their process to be stopped.
class run_book {
 public:
  run_book(const std::string& path, std::string host)
      : path_(path), file_(open(path)), stops_(open(path + ".stops")), host_(std::move(host)) {}
  run_book(const run_book&) = delete;
  run_book& operator=(const run_book&) = delete;
  ~run_book() {
    ::close(file_);
    ::close(stops_);
  }

  void note(job_id id) { write(file_, id); }
  /// True for the first who asks for that job.
  bool ask_for_stop(job_id id) {
    const std::string mark = path_ + ".stopped." + to_string(id);
    const int made = ::open(mark.c_str(), O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (made < 0) return false;
    ::close(made);
    write(stops_, id);
    return true;
  }

 private:
  static int open(const std::string& path) {
    return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  }
  void write(int to, job_id id) {
    const auto now = std::chrono::system_clock::now().time_since_epoch() / std::chrono::microseconds(1);
    const std::string line = host_ + ' ' + to_string(id) + ' ' + std::to_string(now) + '\n';
    (void)!::write(to, line.data(), line.size());
  }

  const std::string path_;
  const int file_;
  const int stops_;
  const std::string host_;
};

/// A job that takes a while.
inline closure<> step_of_host(std::int64_t milliseconds) {
  return closure{named_closure<"hosts.step">([](run_book& book, control& job, std::int64_t wait_ms) {
                   book.note(job.id());
                   sleep_for(std::chrono::milliseconds(wait_ms));
                 }),
                 milliseconds};
}

/// A job that pushes one like that to another queue, to begin after `delay_ms`.
inline closure<> pass_on_host(std::string to, std::int64_t delay_ms) {
  return closure{named_closure<"hosts.pass_on">([](run_book& book, control& job, queue& own,
                                                   std::string other, std::int64_t later_ms) {
                   book.note(job.id());
                   own.push(step_of_host(0), {.delay = std::chrono::milliseconds(later_ms), .queue = other});
                 }),
                 std::move(to), delay_ms};
}

/// A job that fails in its first `times` attempts.
inline closure<> failing_on_host(int times) {
  return closure{named_closure<"hosts.fails">([](run_book& book, control& job, int failures) {
                   book.note(job.id());
                   if (job.attempt() <= failures) throw std::runtime_error("an attempt that fails on a host");
                 }),
                 times};
}

/// A job in which its process is to be stopped, once: it keeps its thread until that has happened, so that
/// nothing else is under way there.
inline closure<> stop_of_host() {
  return closure{named_closure<"hosts.stop">([](run_book& book, control& job) {
    book.note(job.id());
    steady_time last = steady_clock::now();  // it may be stopped as soon as it has asked
    if (!book.ask_for_stop(job.id())) return;
    const steady_time until = last + std::chrono::minutes(1);
    for (steady_time now = steady_clock::now(); now < until && now - last < std::chrono::milliseconds(900);) {
      last = now;
      now = steady_clock::now();
    }
  })};
}

struct end_of_host {
  event has_come;
};

/// A job that ends its worker.
inline closure<> end_host() {
  return closure{named_closure<"hosts.end">([](end_of_host& of) { of.has_come.set(); })};
}

}  // namespace weft::jobs
