#include <weft/jobs/store_meters.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/log/log.hpp>
#include <weft/metrics/description.hpp>

namespace weft::inline v1::jobs {
namespace {

constexpr const char* depth_name = "weft_jobs_queue_depth";
constexpr const char* oldest_name = "weft_jobs_oldest_ready_age_seconds";
constexpr const char* paused_name = "weft_jobs_queue_paused";
constexpr const char* workers_name = "weft_jobs_workers";
constexpr const char* sample_age_name = "weft_jobs_sample_age_seconds";

struct shown_state {
  std::string_view name;
  std::int64_t state_counts::*count;
};
constexpr std::array all_states{shown_state{"scheduled", &state_counts::scheduled},
                                shown_state{"ready", &state_counts::ready},
                                shown_state{"blocked", &state_counts::blocked},
                                shown_state{"running", &state_counts::running},
                                shown_state{"done", &state_counts::done},
                                shown_state{"dead", &state_counts::dead},
                                shown_state{"cancelled", &state_counts::cancelled},
                                shown_state{"quarantined", &state_counts::quarantined}};

std::vector<metrics::given_family> families_of_store(std::size_t queues_max) {
  const std::size_t queues = queues_max + 1;
  return {
      {.what = {.name = depth_name,
                .help = "Jobs in the store, at the last look",
                .labels = {"queue", "state"},
                .label_sets_max = queues * all_states.size()}},
      {.what = {.name = oldest_name,
                .help =
                    "How long ago the moment was that the job that is ready for longest was pushed for, at "
                    "the last look",
                .unit = "seconds",
                .labels = {"queue"},
                .label_sets_max = queues}},
      {.what = {.name = paused_name,
                .help = "1 where nothing of the queue is claimed, at the last look",
                .labels = {"queue"},
                .label_sets_max = queues}},
      {.what = {.name = workers_name, .help = "Workers that have joined the store, at the last look"}},
      {.what = {.name = sample_age_name,
                .help = "How long ago the last look at the store succeeded",
                .unit = "seconds"}},
  };
}

metrics::counter errors_of(metrics::registry& to) {
  return to.get_counter(
      {.name = "weft_jobs_sample_errors_total", .help = "Looks at the store that failed or took too long"});
}

double seconds(std::chrono::duration<double> span) { return std::max(span.count(), 0.0); }

}  // namespace

class store_meters::state {
 public:
  state(queue& of, const store_meters_options& options)
      : of_(of), options_(options), began_(steady_clock::now()), errors_(errors_of(registry())) {
    source_ = registry().add_source(families_of_store(options_.queues_max),
                                    [this](metrics::readings& into) { read(into); });
    looks_ = go([this] { look_again_and_again(); }, {.name = "job figures"});
  }
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() {
    looks_.cancel();
    shield([this] {
      try {
        looks_.join();
      } catch (const cancelled&) {  // as it was asked to
      }
    });
    source_.end();
  }

 private:
  /// A queue as it was seen.
  struct shown_queue {
    state_counts jobs;
    double oldest_seconds = 0;
    bool paused = false;
  };
  struct sample {
    std::map<std::string, shown_queue> queues;
    std::size_t workers = 0;
  };

  metrics::registry& registry() const {
    return options_.to != nullptr ? *options_.to : metrics::default_registry();
  }

  void look_again_and_again() {
    for (bool failed = false;; sleep_for(options_.interval)) failed = !look(failed);
  }

  /// False where it failed; told once, where it did not before.
  bool look(bool failed_before) {
    try {
      auto made = std::make_shared<const sample>(
          with_timeout(options_.timeout, [this] { return look_at(of_.kept_in()); }));
      const std::lock_guard lock(lock_);
      newest_.swap(made);
      taken_ = steady_clock::now();
      return true;
    } catch (const std::exception& failed) {  // also what a store or clock of the user throws
      errors_.add();
      if (!failed_before) {
        log::warn("jobs: the store cannot be looked at; its figures stay what they were",
                  {{"why", failed.what()}});
      }
      return false;
    }
  }

  sample look_at(store& in) {
    const moment now = of_.clock().now();
    sample made;
    for (const auto& name : named_) made.queues.try_emplace(name);  // none left is 0, not nothing
    for (const queue_stats& one : in.stats()) {
      shown_queue& shown = made.queues[name_for(one.queue)];
      for (const auto& [what, count] : all_states) shown.jobs.*count += one.*count;
      shown.paused = shown.paused || one.paused;
    }
    for (const oldest_ready& one : in.find_oldest_ready(now)) {
      double& oldest = made.queues[name_for(one.queue)].oldest_seconds;
      oldest = std::max(oldest, seconds(now - one.since));
    }
    made.workers = in.workers().size();
    return made;
  }

  /// Under which name a queue is shown. A name that was given once is kept.
  std::string name_for(const std::string& queue) {
    if (named_.contains(queue)) return queue;
    const bool has_room = named_.size() - named_.count(other_) < options_.queues_max;
    return *named_.insert(has_room ? queue : other_).first;
  }

  void read(metrics::readings& into) {
    std::shared_ptr<const sample> seen;
    steady_time taken;
    {
      const std::lock_guard lock(lock_);
      seen = newest_;
      taken = taken_.value_or(began_);
    }
    into.add(sample_age_name, seconds(steady_clock::now() - taken));
    if (seen == nullptr) return;
    into.add(workers_name, static_cast<double>(seen->workers));
    for (const auto& [name, one] : seen->queues) {
      for (const auto& [what, count] : all_states) {
        into.add(depth_name, static_cast<double>(one.jobs.*count), {name, what});
      }
      into.add(oldest_name, one.oldest_seconds, {name});
      into.add(paused_name, one.paused ? 1 : 0, {name});
    }
  }

  queue& of_;
  const store_meters_options options_;
  const std::string other_{metrics::other_label_value};
  const steady_time began_;
  metrics::counter errors_;
  std::set<std::string> named_;  // the looking fiber's

  weft::detail::spin_lock lock_;
  std::shared_ptr<const sample> newest_;  // guarded by lock_; null before the first look
  std::optional<steady_time> taken_;      // guarded by lock_
  metrics::source source_;
  fiber<void> looks_;
};

store_meters::store_meters(queue& of, store_meters_options options)
    : state_(std::make_unique<state>(of, options)) {}
store_meters::~store_meters() = default;

}  // namespace weft::inline v1::jobs
