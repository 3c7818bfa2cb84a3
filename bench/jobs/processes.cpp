// Workers in processes of their own: how soon they notice a push, and what one takes that does nothing.

#include <algorithm>
#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <weft/fiber/run.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/process/program.hpp>

#include "jobs/raw_sqlite.hpp"
#include "jobs/tell.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;
using weft::process::stream_target;

constexpr std::size_t wake_ups = 200;

class other_process {
 public:
  /// `program` gets the URL and the key file as they are set in `arguments`.
  explicit other_process(std::vector<std::string> arguments, stream_target out, stream_target err)
      : program_(std::move(arguments), [&] {
          weft::process::program_options how;
          how.out = out;
          how.err = err;
          how.die_with_thread = true;
          return how;
        }()) {}
  other_process(const other_process&) = delete;
  other_process& operator=(const other_process&) = delete;
  ~other_process() {
    ::kill(program_.pid(), SIGKILL);
    (void)program_.wait();
  }

  weft::process::program& program() { return program_; }

 private:
  weft::process::program program_;
};

struct kept_keys {
  work_folder folder;
  std::string file = folder.path() + "/keys";
  std::string url = "sqlite:" + folder.path() + "/jobs.db";
  kept_keys() { weft::wire::key_ring(weft::wire::key::generate("bench")).save(file); }
};

/// A queue here, and a worker of it elsewhere.
struct both_sides : kept_keys {
  weft::jobs::queue queue{
      url, {.keys = std::make_shared<const weft::wire::key_ring>(weft::wire::key_ring::load(file))}};
  other_process worker{{WEFT_BENCH_JOBS_WORKER, url, file}, stream_target::pipe(), stream_target::inherit()};

  both_sides() {
    char began = 0;
    if (worker.program().out().read_some({&began, 1}) != 1) throw unavailable("the worker does not begin");
  }
  /// From the return of a push until its function runs.
  double push_to_start_ms() {
    queue.push(tell_start());
    const std::int64_t pushed = steady_ns();
    std::int64_t began = 0;
    auto* into = reinterpret_cast<char*>(&began);
    if (worker.program().out().read_some({into, sizeof began}) != sizeof began)
      throw unavailable("the worker has ended");
    return static_cast<double>(std::max<std::int64_t>(began - pushed, 0)) / 1e6;
  }
};
std::unique_ptr<both_sides> sides;

double push_to_start_ms(double share) {
  std::vector<double> samples;
  repeat(wake_ups, [&] { samples.push_back(sides->push_to_start_ms()); });
  return percentile(std::move(samples), share);
}

/// Of /proc/PID/status, in MiB: memory of its own, and pages of files that it has in memory, which are mostly
/// those of shared libraries that others share.
double resident_mib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  double kib = 0;
  for (std::string name; status >> name;) {
    double number = 0;
    if (name == "RssAnon:" || name == "RssFile:") {
      status >> number;
      kib += number;
    }
  }
  return kib / 1024;
}

/// `weft work`, once it works and has been idle for the beat of a worker.
double idle_worker_mib() {
  const kept_keys where;
  other_process worker{{WEFT_BENCH_COMMAND, "work", "--db", where.url, "--keys", where.file},
                       stream_target::null(),
                       stream_target::pipe()};
  const auto line = worker.program().err().read_line();
  if (!line || line->find("started") == std::string::npos) throw unavailable("weft work does not begin");
  ::usleep(2'500'000);
  return resident_mib(worker.program().pid());
}

const add wake_up{{
    .group = "jobs",
    .name = "idle, push to start, separate process, p50",
    .unit = "ms",
    .ours = [] { return push_to_start_ms(0.5); },
    .target = at_most(0.6),
    .before = [] { sides = std::make_unique<both_sides>(); },
    .after = [] { sides.reset(); },
    .store = "sqlite",
}};

const add wake_up_late{{
    .group = "jobs",
    .name = "idle, push to start, separate process, p99",
    .unit = "ms",
    .ours = [] { return push_to_start_ms(0.99); },
    .target = at_most(4),
    .before = [] { sides = std::make_unique<both_sides>(); },
    .after = [] { sides.reset(); },
    .store = "sqlite",
}};

const add idle_size{{
    .group = "jobs",
    .name = "idle weft work, RssAnon and RssFile",
    .unit = "MiB",
    .ours = idle_worker_mib,
    .target = at_most(10),
    .warm_up = false,
    .store = "sqlite",
}};

}  // namespace
