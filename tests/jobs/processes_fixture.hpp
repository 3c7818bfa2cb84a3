#pragma once

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include <unistd.h>

#include <weft/fiber/fiber.hpp>
#include <weft/jobs/job_given_up.hpp>
#include <weft/log/log.hpp>
#include <weft/workers/client.hpp>
#include <weft/workers/main.hpp>
#include <weft/workers/runner.hpp>

#include "jobs/jobs_fixture.hpp"

// Attempts in worker processes, on both stores.

namespace weft::jobs::in_processes {

using namespace std::chrono_literals;

inline constexpr run_place workers_place = run_place::workers;

struct booking_failed : error {
  explicit booking_failed(std::string message) : error(errc::unavailable, std::move(message)) {}
};

/// A service that only worker processes have.
struct of_the_process {
  int pid = static_cast<int>(::getpid());
};

inline void set_up(services& provided, workers::interfaces&) {
  register_error<booking_failed>("test.booking_failed");
  add_control(provided);
  provided.add<of_the_process>([] { return of_the_process{}; });
}

[[noreturn]] inline void die_by(int signal) {
  std::signal(signal, SIG_DFL);  // sanitizers handle some
  ::raise(signal);
  std::abort();
}

// Keeps the compiler from turning the recursion into a loop.
inline volatile int depth_max = 1'000'000'000;
inline int recurse(int depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  return depth < depth_max ? recurse(depth + 1) + frame[0] : 0;
}

/// For ever, without a wait.
[[noreturn]] inline void spin() {
  // The thread sanitizer lets signals through in calls that it knows.
  for (;;) static_cast<void>(std::chrono::steady_clock::now());
}

/// Says its pid, and goes on until it is killed.
inline closure<> never_ends() {
  return closure{placed_closure<workers_place>(named_closure<"process.never_ends">([](control& job) {
    std::signal(SIGTERM, SIG_IGN);
    job.progress(::getpid(), ::getpid());
    spin();
  }))};
}

/// Says its pid, and goes on until a signal ends it.
inline closure<> until_a_signal() {
  return closure{placed_closure<workers_place>(named_closure<"process.until_a_signal">([](control& job) {
    job.progress(::getpid(), ::getpid());
    spin();
  }))};
}

inline closure<> dies(std::string how) {
  return closure{placed_closure<workers_place>(named_closure<"process.dies">([](std::string way) {
                   std::fprintf(stderr, "about to die by %s\n", way.c_str());
                   if (way == "exit") ::_exit(3);
                   if (way == "overflow") std::exit(recurse(0));
                   if (way == "term") die_by(SIGTERM);
                   die_by(way == "abort" ? SIGABRT : SIGSEGV);
                 })),
                 std::move(how)};
}

/// Of each tenth the process dies behind the first step, once.
inline closure<int> survives(int number) {
  return closure{placed_closure<workers_place>(named_closure<"process.survives">([](control& job, int of) {
                   const auto begun_in = job.checkpoint("begun", [] { return ::getpid(); });
                   if (of % 10 == 0 && begun_in == ::getpid()) die_by(SIGKILL);
                   return of;
                 })),
                 number};
}

class jobs_processes : public jobs_fixture, public testing::WithParamInterface<const char*> {
 protected:
  jobs_processes() {
    if (GetParam() == std::string_view("memory")) {
      queue_.emplace("memory:", queue_options{.keys = keys_, .clock = &clock_});
    }
  }

  /// Runs what is due in processes of a pool.
  std::size_t run_in_processes(workers::client_options how = {}, worker_options options = {}) {
    how.min_workers = 1;
    const workers::client pool(how);
    workers::worker_runner runner(pool);
    options.workers = &runner;
    return run_due(options);
  }

  /// Runs `body` beside a worker with processes.
  void beside_worker(worker_options options, const std::function<void()>& body,
                     std::chrono::milliseconds stop_grace = 20ms) {
    workers::client pool({.min_workers = 1, .timeout = std::nullopt, .stop_grace = stop_grace});
    pool.call(closure{[] {}});  // the first process is there: timeouts are of attempts
    workers::worker_runner runner(pool);
    options.workers = &runner;
    options.heartbeat = 5ms;            // so soon it hears that a job is cancelled
    options.missed_beats_max = 10'000;  // but a slow machine makes no dead worker of it
    run(
        [&] {
          worker one(*queue_, app_, quiet(options));
          auto working = go([&] { one.run(); });
          body();
          one.stop();
          working.join();
        },
        with_room_for_sanitizers());
  }

  /// The process that runs a job of never_ends().
  pid_t process_of(job_id id) {
    for (;;) {
      if (const auto at = show(id).progress) return static_cast<pid_t>(at->done);
      sleep_for(1ms);
    }
  }
  static bool is_alive(pid_t pid) { return ::kill(pid, 0) == 0; }

  void wait_for(job_id id, job_state state) {
    while (show(id).state != state) sleep_for(1ms);
  }
};

}  // namespace weft::jobs::in_processes
