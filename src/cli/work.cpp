#include "cli/work.hpp"

#include <csignal>
#include <cstdio>
#include <memory>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/command.hpp>
#include <weft/jobs/job_list.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/store_meters.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/log/log.hpp>
#include <weft/process/signals.hpp>
#include <weft/service/admin.hpp>
#include <weft/service/lifecycle.hpp>
#include <weft/wire/json.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"
#include "cli/work_log.hpp"
#include "cli/work_settings.hpp"

namespace weft::inline v1::cli {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::chrono::seconds status_interval{5};

jobs::command_options commands_of(const work_options& options) {
  jobs::command_options how;
  how.pass.insert(how.pass.end(), options.pass.begin(), options.pass.end());
  how.grace = duration_cast<milliseconds>(options.kill_grace);
  how.die_with_thread = true;  // the one thread of this run, which is the program's first
  return how;
}

void log_figures(const jobs::worker& of) {
  const auto figures = of.statistics();
  log::info("weft work: ended", {{"done", figures.done},
                                 {"failed", figures.failed},
                                 {"dead", figures.dead},
                                 {"refused", figures.refused},
                                 {"unroutable", figures.unroutable}});
}

/// A fiber that ends with this.
class background {
 public:
  template <typename Work>
  background(Work work, std::string name) : fiber_(go(std::move(work), {.name = std::move(name)})) {}
  background(const background&) = delete;
  background& operator=(const background&) = delete;
  ~background() {
    fiber_.cancel();
    shield([this] {
      try {
        fiber_.join();
      } catch (const cancelled&) {  // as it was asked to
      }
    });
  }

 private:
  fiber<void> fiber_;
};

/// What `systemctl status` shows of it.
void tell_status(const ops::notifier& manager, const jobs::worker& of) {
  for (; manager; sleep_for(status_interval)) {
    const auto now = of.statistics();
    manager.status("done " + std::to_string(now.done) + ", failed " + std::to_string(now.failed) +
                   ", given up " + std::to_string(now.dead + now.quarantined));
  }
}

/// For those who run it: figures of the store, and whether it answers.
class shown_worker {
 public:
  shown_worker(const std::string& listen, jobs::queue& queue, ops::lifecycle& life)
      : admin_({.listen = listen}), figures_(queue) {
    admin_.health().add("database", [&queue] {
      (void)queue.kept_in().find(jobs::job_id{0});
      return true;
    });
    life.administer(admin_);
  }

 private:
  ops::admin admin_;
  jobs::store_meters figures_;
};

int live(const work_options& options, work_log& log, ops::lifecycle& life) {
  // From here until the worker has left the store: a signal that comes before the life begins ends it, too.
  process::signal_watch signals{SIGTERM, SIGINT};
  const background listening(
      [&] {
        signals.wait();
        life.stop();
      },
      "signals");
  jobs::queue queue(options.store, {.keys = needed_keys(options.keys)});
  services app;
  jobs::allow_commands(app, commands_of(options));
  jobs::worker worker(queue, app, worker_of(options));
  std::unique_ptr<shown_worker> shown;
  if (!options.admin.empty()) shown = std::make_unique<shown_worker>(options.admin, queue, life);
  log::info("weft work: started", {{"worker", to_string(worker.id())}, {"concurrency", options.concurrency}});

  work_reload reload(options, worker, log);
  life.on_reload([&reload] { reload.read_again(); });
  life.add({.name = "worker",
            .run =
                [&] {
                  if (options.once) {
                    worker.run_due();
                  } else {
                    worker.run();
                  }
                },
            .stop = [&worker] { worker.stop(); }});
  const background status([&] { tell_status(life.manager(), worker); }, "status");
  const int ended = life.run();
  log_figures(worker);
  return ended == 0 ? exit_ok : exit_failed;
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
    work_log log(options);
    run_options how;
    how.stack_bytes = 256 * 1024;
    return ops::run_service([&](ops::lifecycle& life) { return live(options, log, life); }, how);
  });
}

}  // namespace weft::inline v1::cli
