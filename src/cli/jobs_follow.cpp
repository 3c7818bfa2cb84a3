#include "cli/jobs_follow.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/jobs/describe.hpp>
#include <weft/process/signals.hpp>
#include <weft/wire/json.hpp>

#include "cli/exit_status.hpp"
#include "cli/jobs_store.hpp"

// The store's bell says that jobs came or ended, not which. So at each ring the newest jobs are read, and
// those older ones that were shown and have not ended; what is not as it was is a line. Both are bounded by
// followed_max, so that a look costs the same however many jobs there are.

namespace weft::inline v1::cli {

namespace {

using jobs::job_id;
using jobs::stored_job;

constexpr std::size_t followed_max = 500;
/// Pages of one look, where many came at once.
constexpr int pages_max = 20;
/// Where jobs come without a pause there is a look at most that often.
constexpr std::chrono::milliseconds between_looks{50};

/// What makes a job worth another line.
struct face {
  jobs::job_state state;
  std::int64_t fence;
  int attempts;
  bool cancel_requested;
  bool alive;
  bool operator==(const face&) const = default;
};

face face_of(const stored_job& job) {
  return {job.state, job.fence, job.attempts, job.cancel_requested, !job.finished};
}

class follower {
 public:
  follower(jobs::store& in, const jobs_options& options, const wire::key_ring* keys)
      : store_(in), options_(options), keys_(keys) {}

  /// Prints the page that `list` shows, oldest first. False where nobody reads it any more.
  bool first_look() {
    auto jobs = changed();
    const std::size_t more = jobs.size() - std::min(jobs.size(), options_.limit);
    return print({std::make_move_iterator(jobs.begin() + static_cast<std::ptrdiff_t>(more)),
                  std::make_move_iterator(jobs.end())});
  }
  /// Prints what came or changed since.
  bool look() { return print(changed()); }

 private:
  std::vector<stored_job> list(std::optional<job_id> before) {
    return store_.list({.queue = options_.queue,
                        .tag = options_.tag,
                        .state = options_.state,
                        .before = before,
                        .limit = followed_max});
  }

  /// Oldest first.
  std::vector<stored_job> changed() {
    std::vector<stored_job> lines;
    std::map<job_id, face> now;
    std::optional<job_id> before;
    bool any_known = known_.empty();
    for (int pages = 0; pages < pages_max; ++pages) {
      auto jobs = list(before);
      const bool is_last = jobs.size() < followed_max;
      for (auto& one : jobs) {
        before = one.id;
        any_known = keep(std::move(one), now, lines) || any_known;
      }
      if (any_known || is_last) break;
    }
    add_older(now, lines);
    known_ = std::move(now);
    std::ranges::sort(lines, {}, &stored_job::id);
    return lines;
  }
  /// Those that were alive and are not among the newest any more.
  void add_older(std::map<job_id, face>& now, std::vector<stored_job>& lines) {
    std::size_t left = followed_max;
    for (auto known = known_.rbegin(); known != known_.rend() && left > 0; ++known) {
      if (now.contains(known->first) || !known->second.alive) continue;
      --left;
      auto one = store_.find(known->first);
      if (one) keep(std::move(*one), now, lines);
    }
  }
  /// Notes how the job looks, and adds it to the lines where that is new. Was it known?
  bool keep(stored_job job, std::map<job_id, face>& now, std::vector<stored_job>& lines) {
    const auto known = known_.find(job.id);
    const face looks = face_of(job);
    now.emplace(job.id, looks);
    const bool is_new = known == known_.end() || known->second != looks;
    if (is_new && (!options_.state || job.state == *options_.state)) lines.push_back(std::move(job));
    return known != known_.end();
  }

  bool print(std::vector<stored_job> jobs) const {
    for (auto& one : jobs) {
      const auto info = describe(std::move(one), keys_);
      const auto line = options_.as_json
                            ? wire::to_json(followed_job{.job = view_of(info, store_.clock().now())})
                            : line_text(info, store_.clock().now());
      std::puts(line.c_str());
    }
    return std::fflush(stdout) == 0;
  }

  jobs::store& store_;
  const jobs_options& options_;
  const wire::key_ring* keys_;
  std::map<job_id, face> known_;
};

/// False where nobody reads it any more.
bool follow(jobs::store& in, const jobs_options& options, const wire::key_ring* keys) {
  follower jobs(in, options, keys);
  std::uint64_t seen = in.wait_bell(in.bell() + 1, {});  // listens from now on
  if (!jobs.first_look()) return false;
  for (;;) {
    seen = in.wait_bell(seen, no_deadline);
    if (!jobs.look()) return false;
    sleep_for(between_looks);
  }
}

}  // namespace

int run_jobs_follow(const jobs_options& options) {
  return guarded("weft jobs list", [&] {
    const auto keys = keys_where_given(options.keys);
    const auto store = open_existing(options.store);
    return run([&] {
      process::signal_watch signals{SIGINT, SIGTERM};
      cancel_scope everything;
      try {
        return with_scope([&](scope& in) {
          auto until_signal = in.go([&] {
            (void)signals.wait();
            everything.cancel(cancel_reason::requested);
          });
          const bool is_read = follow(*store, options, keys.get());
          until_signal.cancel();
          return is_read ? exit_ok : exit_failed;
        });
      } catch (const cancelled&) {
        if (!everything.is_cancelled()) throw;
        return exit_ok;
      }
    });
  });
}

}  // namespace weft::inline v1::cli
