#include <weft/executor/blocking.hpp>

#include <pthread.h>
#include <atomic>
#include <memory>
#include <mutex>

#include <weft/core/oracle.hpp>
#include <weft/metrics/registry.hpp>

#include "executor/elastic_pool.hpp"

namespace weft::inline v1 {

namespace detail {
namespace {

// No lock here: a forked child has none of the threads, and whatever lock was held stays held in it. It
// leaves the pool behind and makes its own.
std::atomic<elastic_pool*> the_pool{nullptr};

/// Options that were set. Former ones are kept: a pool that is being made may be reading them.
struct chosen_options {
  blocking_options options;
  const chosen_options* former = nullptr;
};
constinit const chosen_options default_options{};
std::atomic<const chosen_options*> chosen{&default_options};

/// The pool in use here: of the simulation, if this is one. Null: not used yet.
elastic_pool* pool_or_null() {
  if (oracle* const simulation = oracle::current()) {
    return static_cast<elastic_pool*>(simulation->instance(&the_pool).get());
  }
  return the_pool.load(std::memory_order_acquire);
}

void read_pool(metrics::readings& to) {
  const elastic_pool* const pool = pool_or_null();
  if (pool == nullptr) return;
  const blocking_statistics now = pool->statistics();
  to.add("weft_blocking_threads", static_cast<double>(now.threads));
  to.add("weft_blocking_threads_idle", static_cast<double>(now.idle_threads));
  to.add("weft_blocking_threads_peak", static_cast<double>(now.peak_threads));
  to.add("weft_blocking_tasks_queued", static_cast<double>(now.queued_tasks));
  to.add("weft_blocking_tasks_total", static_cast<double>(now.started_tasks));
  to.add("weft_blocking_refused_tasks_total", static_cast<double>(now.refused_tasks));
}

/// What the pools count besides their statistics.
struct blocking_meters {
  metrics::registry& to = metrics::default_registry();
  metrics::histogram queue_wait = to.get_histogram({.name = "weft_blocking_queue_wait_seconds",
                                                    .help = "How long blocking calls waited for a thread",
                                                    .unit = "seconds"});
  metrics::counter abandoned =
      to.get_counter({.name = "weft_blocking_abandoned_tasks_total",
                      .help = "Blocking calls whose callers no longer wanted the result"});
  metrics::source source = to.add_source(
      {{.what = {.name = "weft_blocking_threads", .help = "Threads for blocking calls"}},
       {.what = {.name = "weft_blocking_threads_idle", .help = "Threads for blocking calls that are free"}},
       {.what = {.name = "weft_blocking_threads_peak", .help = "Most threads for blocking calls at once"}},
       {.what = {.name = "weft_blocking_tasks_queued", .help = "Blocking calls that no thread has begun"}},
       {.what = {.name = "weft_blocking_tasks_total", .help = "Blocking calls that a thread has begun"},
        .kind = metrics::kind::counter},
       {.what = {.name = "weft_blocking_refused_tasks_total", .help = "Blocking calls refused at queue_max"},
        .kind = metrics::kind::counter}},
      read_pool);
};

const blocking_meters& meters() {
  static const blocking_meters& made = *new blocking_meters;  // threads may count until the process ends
  return made;
}

elastic_pool& make_simulated_pool(oracle& simulation) {
  auto made = std::make_shared<elastic_pool>(chosen.load()->options, meters().queue_wait);
  elastic_pool& pool = *made;
  simulation.instance(&the_pool) = std::move(made);
  return pool;
}

elastic_pool& make_pool() {
  if (oracle* const simulation = oracle::current()) return make_simulated_pool(*simulation);
  [[maybe_unused]] static const int registered =
      pthread_atfork(nullptr, nullptr, [] { the_pool.store(nullptr, std::memory_order_relaxed); });
  const chosen_options* const made_with = chosen.load();
  auto made = std::make_unique<elastic_pool>(made_with->options, meters().queue_wait);
  elastic_pool* there = nullptr;
  if (!the_pool.compare_exchange_strong(there, made.get())) return *there;
  // Never destroyed: a task may run until the process ends.
  elastic_pool& pool = *made.release();
  // Who set options meanwhile may have seen no pool.
  if (const auto* const now = chosen.load(); now != made_with) pool.set_options(now->options);
  return pool;
}

elastic_pool& pool() {
  elastic_pool* const there = pool_or_null();
  return there != nullptr ? *there : make_pool();
}

}  // namespace

void post_blocking(unique_function<void()> work) {
  scheduling_point("blocking");
  pool().post(std::move(work));
}

bool abandonable_call::begin(cancel_scope& scope) {
  const std::lock_guard lock(mutex_);
  if (!abandoned_) scope_ = &scope;
  return !abandoned_;
}

void abandonable_call::end() {
  const std::lock_guard lock(mutex_);
  scope_ = nullptr;
}

void abandonable_call::abandon(cancel_reason reason) noexcept {
  meters().abandoned.add();
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  if (scope_ != nullptr) scope_->cancel(reason);
}

}  // namespace detail

void set_blocking_options(const blocking_options& options) {
  detail::elastic_pool::checked(options);
  auto set = std::make_unique<detail::chosen_options>(detail::chosen_options{options, detail::chosen.load()});
  while (!detail::chosen.compare_exchange_weak(set->former, set.get())) {
  }
  const detail::chosen_options* const now = set.release();
  if (auto* const pool = detail::pool_or_null()) pool->set_options(now->options);
}

blocking_statistics get_blocking_statistics() {
  const detail::elastic_pool* const pool = detail::pool_or_null();
  return pool == nullptr ? blocking_statistics{} : pool->statistics();
}

}  // namespace weft::inline v1
