#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>

#include <weft/closure/closure.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/jobs/control.hpp>

// What the test of several hosts and its workers, processes of their own, have in common.

namespace weft::jobs {

/// Where each run of a job leaves a line, whatever becomes of it: "host job microseconds".
class run_book {
 public:
  run_book(const std::string& path, std::string host)
      : file_(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)),
        host_(std::move(host)) {}
  run_book(const run_book&) = delete;
  run_book& operator=(const run_book&) = delete;
  ~run_book() { ::close(file_); }

  void note(job_id id) {
    const auto now = std::chrono::system_clock::now().time_since_epoch() / std::chrono::microseconds(1);
    const std::string line = host_ + ' ' + to_string(id) + ' ' + std::to_string(now) + '\n';
    (void)!::write(file_, line.data(), line.size());
  }

 private:
  const int file_;
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

struct end_of_host {
  event has_come;
};

/// A job that ends its worker.
inline closure<> end_host() {
  return closure{named_closure<"hosts.end">([](end_of_host& of) { of.has_come.set(); })};
}

}  // namespace weft::jobs
