#include "cli/jobs_watch.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>

#include <unistd.h>

#include <weft/jobs/clock.hpp>
#include <weft/log/escape.hpp>
#include <weft/process/signals.hpp>
#include <weft/wire/json.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"
#include "cli/time_text.hpp"

namespace weft::inline v1::cli {

namespace {

std::vector<shown_queue> counts_of(jobs::store& in, const std::string& queue) {
  auto queues = stats_of(in).queues;
  if (!queue.empty())
    std::erase_if(queues, [&](const auto& one) { return one.queue != log::to_utf8(queue); });
  return queues;
}

std::string line_of(const std::vector<shown_queue>& queues) {
  shown_queue sum;
  for (const auto& one : queues) {
    sum.scheduled += one.scheduled;
    sum.ready += one.ready;
    sum.blocked += one.blocked;
    sum.running += one.running;
    sum.done += one.done;
    sum.dead += one.dead;
    sum.cancelled += one.cancelled;
    sum.quarantined += one.quarantined;
  }
  std::string text;
  const auto add = [&](const char* name, std::int64_t count) {
    text.append(text.empty() ? "" : "  ").append(name).append(" ").append(std::to_string(count));
  };
  add("running", sum.running);
  add("ready", sum.ready);
  add("scheduled", sum.scheduled);
  add("blocked", sum.blocked);
  add("done", sum.done);
  add("dead", sum.dead);
  add("cancelled", sum.cancelled);
  add("quarantined", sum.quarantined);
  return text;
}

/// False where nobody reads it any more.
bool print(jobs::store& of, const std::string& queue, bool on_terminal) {
  std::vector<shown_queue> queues = counts_of(of, queue);
  if (on_terminal) {
    std::printf("\r%s\x1b[K", line_of(queues).c_str());
  } else {
    const auto now = time_text(of.clock().now());
    std::puts(wire::to_json(watched_counts{.time = now, .queues = std::move(queues)}).c_str());
  }
  return std::fflush(stdout) == 0;
}

}  // namespace

int run_jobs_watch(const jobs_watch_options& options) {
  return guarded("weft jobs watch", [&] {
    process::signal_watch signals{SIGINT, SIGTERM};
    const auto store = open_existing(options.store);
    const bool on_terminal = ::isatty(STDOUT_FILENO) != 0;
    for (std::size_t looks = 1;; ++looks) {
      if (!print(*store, options.queue, on_terminal)) return exit_failed;
      if (looks == options.count || signals.wait_for(options.interval)) break;
    }
    if (on_terminal) std::puts("");
    return exit_ok;
  });
}

}  // namespace weft::inline v1::cli
