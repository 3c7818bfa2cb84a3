#include "cli/work.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/jobs/command.hpp>
#include <weft/jobs/job_list.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/log/log.hpp>
#include <weft/process/exit_status.hpp>
#include <weft/process/signals.hpp>
#include <weft/wire/json.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"

namespace weft::inline v1::cli {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

jobs::command_options commands_of(const work_options& options) {
  jobs::command_options how;
  how.pass.insert(how.pass.end(), options.pass.begin(), options.pass.end());
  how.grace = duration_cast<milliseconds>(options.kill_grace);
  how.die_with_thread = true;  // the one thread of this run, which is the program's first
  return how;
}

jobs::worker_options worker_of(const work_options& options) {
  jobs::worker_options how;
  how.queues = options.queues;
  how.concurrency = options.concurrency;
  how.retry.first = options.retry_first;
  how.retry.longest = std::max(options.retry_first, options.retry_longest);
  how.stop_grace = duration_cast<milliseconds>(options.stop_grace);
  how.retention = options.retention;
  return how;
}

/// The first signal stops the worker, the second one what it runs.
void obey(process::signal_watch& signals, jobs::worker& worker, cancel_scope& everything) {
  log::info("weft work: stopping; once more to stop at once",
            {{"signal", process::signal_name(signals.wait())}});
  worker.stop();
  log::warn("weft work: stopping at once", {{"signal", process::signal_name(signals.wait())}});
  everything.cancel(cancel_reason::shutdown);
}

void log_figures(const jobs::worker& of) {
  const auto figures = of.statistics();
  log::info("weft work: ended", {{"done", figures.done},
                                 {"failed", figures.failed},
                                 {"dead", figures.dead},
                                 {"refused", figures.refused},
                                 {"unroutable", figures.unroutable}});
}

/// False: it was stopped by a second signal.
bool work(jobs::worker& worker, bool once, process::signal_watch& signals) {
  cancel_scope everything;
  try {
    with_scope([&](scope& in) {
      auto listener = in.go([&] { obey(signals, worker, everything); });
      if (once) {
        worker.run_due();
      } else {
        worker.run();
      }
      listener.cancel();
    });
    return true;
  } catch (const cancelled&) {
    if (!everything.is_cancelled()) throw;
    return false;
  }
}

int run_worker(const work_options& options) {
  process::signal_watch signals{SIGTERM, SIGINT};  // until the worker has left the store
  jobs::queue queue(options.store, {.keys = needed_keys(options.keys)});
  services app;
  jobs::allow_commands(app, commands_of(options));
  jobs::worker worker(queue, app, worker_of(options));
  log::info("weft work: started", {{"worker", to_string(worker.id())}, {"concurrency", options.concurrency}});
  const bool in_order = work(worker, options.once, signals);
  log_figures(worker);
  return in_order ? exit_ok : exit_failed;
}

}  // namespace

int run_work(const work_options& options) {
  if (options.list_jobs) {
    const auto all = jobs::list_jobs(worker_of(options));
    std::fputs((options.as_json ? wire::to_json(all) + '\n' : jobs::to_text(all)).c_str(), stdout);
    return exit_ok;
  }
  if (options.store.empty()) {
    std::fputs("weft work: no database; write --db sqlite:/path, or set WEFT_DB\n", stderr);
    return exit_usage;
  }
  return guarded("weft work", [&] {
    run_options how;
    how.stack_bytes = 256 * 1024;
    return run([&] { return run_worker(options); }, how);
  });
}

}  // namespace weft::inline v1::cli
