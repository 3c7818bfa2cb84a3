#include "fiber/run_meters.hpp"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <vector>

#include "fiber/runtime.hpp"

namespace weft::inline v1::detail {
namespace {

/// One figure: its family, and where it comes from.
struct figure {
  const char* name;
  const char* help;
  double (*get)(const run_statistics& now);
  metrics::kind kind = metrics::kind::gauge;
  const char* unit = "";
};

template <auto Member>
double get(const run_statistics& now) {
  return static_cast<double>(now.*Member);
}

constexpr figure figures[] = {
    {"weft_fibers_loops", "Threads that run fibers", get<&run_statistics::loops>},
    {"weft_fibers_alive", "Fibers that have not ended", get<&run_statistics::fibers>},
    {"weft_fibers_peak", "Most fibers of one run alive at once", get<&run_statistics::fibers_peak>},
    {"weft_fibers_ready", "Fibers in line for their turn", get<&run_statistics::fibers_ready>},
    {"weft_fibers_parked", "Fibers that wait", get<&run_statistics::fibers_parked>},
    {"weft_fibers_started_total", "Fibers that got their first turn", get<&run_statistics::fibers_started>,
     metrics::kind::counter},
    {"weft_fibers_ended_total", "Fibers that have ended", get<&run_statistics::fibers_ended>,
     metrics::kind::counter},
    {"weft_fibers_stolen_total", "Fibers that another thread took over before they started",
     get<&run_statistics::fibers_stolen>, metrics::kind::counter},
    {"weft_fibers_switches_total", "Switches from a fiber or loop to another", get<&run_statistics::switches>,
     metrics::kind::counter},
    {"weft_fibers_stacks_in_use", "Stacks of fibers that have started", get<&run_statistics::stacks_in_use>},
    {"weft_fibers_stacks_idle", "Free stacks that keep their memory", get<&run_statistics::stacks_idle>},
    {"weft_fibers_stacks_peak", "Stacks made: the most that were in use at once, added up over the threads",
     get<&run_statistics::stacks>},
    {"weft_fibers_stack_peak_bytes", "Most of one stack that was touched, of one in 256 that came back",
     get<&run_statistics::stack_peak_bytes>, metrics::kind::gauge, "bytes"},
    {"weft_fibers_timers", "Timers that are armed, those of bounded waits included",
     get<&run_statistics::timers>},
};

std::vector<metrics::given_family> families() {
  std::vector<metrics::given_family> all;
  std::transform(std::begin(figures), std::end(figures), std::back_inserter(all), [](const figure& one) {
    return metrics::given_family{.what = {.name = one.name, .help = one.help, .unit = one.unit},
                                 .kind = one.kind};
  });
  return all;
}

/// What stays of a run that has ended.
void add_counters(run_statistics& to, const run_statistics& of) noexcept {
  to.fibers_peak = std::max(to.fibers_peak, of.fibers_peak);
  to.fibers_started += of.fibers_started;
  to.fibers_ended += of.fibers_ended;
  to.fibers_stolen += of.fibers_stolen;
  to.switches += of.switches;
  to.stack_peak_bytes = std::max(to.stack_peak_bytes, of.stack_peak_bytes);
}

void add_all(run_statistics& to, const run_statistics& of) noexcept {
  add_counters(to, of);
  to.loops += of.loops;
  to.fibers += of.fibers;
  to.fibers_ready += of.fibers_ready;
  to.fibers_parked += of.fibers_parked;
  to.stacks += of.stacks;
  to.stacks_in_use += of.stacks_in_use;
  to.stacks_idle += of.stacks_idle;
  to.timers += of.timers;
}

}  // namespace

run_meters::run_meters() {
  metrics::registry& to = metrics::default_registry();
  loop_lag_ = to.get_histogram(
      {.name = "weft_fibers_loop_lag_seconds",
       .help = "How long a fiber that became ready waited for those in line before it: in each millisecond "
               "that a loop was busy, the longest",
       .unit = "seconds"});
  timer_lag_ = to.get_histogram({.name = "weft_fibers_timer_lag_seconds",
                                 .help = "How late timers fired: in each turn of a loop, the latest",
                                 .unit = "seconds"});
  source_ = to.add_source(families(), [this](metrics::readings& into) { read(into); });
}

run_meters& run_meters::get() {
  static run_meters& made = *new run_meters;  // a run may be on until the process ends
  return made;
}

run_statistics run_meters::sum() noexcept {
  const std::lock_guard lock(lock_);
  run_statistics all = ended_;
  for (const shown_run* one = runs_; one != nullptr; one = one->next_) add_all(all, one->run_.statistics());
  return all;
}

void run_meters::read(metrics::readings& to) {
  const run_statistics now = sum();
  for (const figure& one : figures) to.add(one.name, one.get(now));
}

run_meters::shown_run::shown_run(const runtime& run) noexcept : run_(run) {
  run_meters& meters = get();
  const std::lock_guard lock(meters.lock_);
  next_ = meters.runs_;
  meters.runs_ = this;
}

run_meters::shown_run::~shown_run() {
  run_meters& meters = get();
  const std::lock_guard lock(meters.lock_);
  add_counters(meters.ended_, run_.statistics());
  shown_run** at = &meters.runs_;
  while (*at != this) at = &(*at)->next_;
  *at = next_;
}

}  // namespace weft::inline v1::detail
