#include <algorithm>

#include <unistd.h>

#include <weft/closure/registry.hpp>
#include <weft/core/fault_point.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/log/log.hpp>

#include "jobs/firing.hpp"
#include "jobs/host.hpp"
#include "jobs/job_ids.hpp"
#include "jobs/worker_state.hpp"

namespace weft::inline v1::jobs {
namespace {

constexpr std::chrono::milliseconds pause_after_error{500};

worker_options checked(worker_options options, const queue& from) {
  if (options.queues.empty() && options.weighted.empty()) options.queues = {from.name()};
  options.concurrency = std::max<std::size_t>(options.concurrency, 1);
  return options;
}

constexpr const char* running_name = "weft_jobs_running";
constexpr const char* slots_name = "weft_jobs_worker_slots";

std::vector<metrics::given_family> given_families() {
  return {{.what = {.name = running_name, .help = "Attempts that run in this process"}},
          {.what = {.name = slots_name, .help = "Attempts that workers of this process may run at a time"}}};
}

worker_row row_of(worker_id id) {
  const std::int64_t pid = ::getpid();
  worker_row row;
  row.id = id;
  row.host = host_identity();
  row.pid = pid;
  row.pid_started = start_of_process(pid);
  row.build = program_build_id();
  return row;
}

}  // namespace

worker::state::state(queue& from, services& app, worker_options options)
    : queue_(from),
      app_(app),
      options_(checked(std::move(options), from)),
      served_(options_.queues),
      shares_(options_.weighted),
      id_(make_worker_id()),
      places_(app, options_),
      meters_(queues_of(options_, options_.queues)),
      said_queues_(options_.queues),
      slots_(options_.concurrency),
      stop_grace_(options_.stop_grace),
      ahead_(options_.claim_ahead.value_or(ahead_by_default(options_.concurrency))),
      retry_(std::make_shared<const retry_policy>(options_.retry)),
      unsigned_(std::make_shared<const unsigned_closures>(options_.unsigned_jobs)) {
  const upkeep_options care{options_.heartbeat, options_.missed_beats_max, options_.crashes_max,
                            options_.retention};
  heartbeat_ = std::make_unique<heartbeat>(
      from.kept_in(), from.clock(), row_of(id_), care,
      heartbeat::listener{[this](const std::vector<job_id>& jobs) { cancel_some(jobs); },
                          [this] {
                            forget_waiting();
                            cancel_all();
                          }});
  add_control(app_);
  places_.warn_of_missing();
  source_ = metrics::default_registry().add_source(given_families(), [this](metrics::readings& to) {
    const std::lock_guard lock(mutex_);
    to.add(running_name, static_cast<double>(slots_taken_));
    to.add(slots_name, static_cast<double>(slots_.load()));
  });
}

worker::state::~state() {
  source_.end();
  heartbeat_.reset();  // or it would add the worker again
  try {
    shield([&] { queue_.kept_in().remove_worker(id_, queue_.clock().now()); });
  } catch (const error& failed) {
    log::warn("jobs: a worker could not leave; its jobs are taken over when its process ends",
              {{"worker", to_string(id_)}, {"error", failed.what()}});
  }
}

void worker::state::run() {
  try {
    while (!stopping_) {
      const auto seen = changed_.value();
      take_other_queues();
      start_waiting();  // there may be more slots
      give_back_late();
      const std::size_t count = room_worth_a_claim();
      if (count == 0) {
        wait_while_full(seen);
        continue;
      }
      const auto heard = queue_.kept_in().bell();
      if (!claim_and_start(count) && !stopping_ && !has_other_queues_) wait_for_work(heard);
    }
    finish_what_runs();
  } catch (...) {
    cancel_and_wait();
    throw;
  }
}

std::size_t worker::state::run_due() {
  const auto begun = [this] {
    const std::lock_guard lock(mutex_);
    return begun_;
  };
  const std::size_t before = begun();
  try {
    for (;;) {
      const auto seen = changed_.value();
      const auto fired_before = fired_;
      const auto begun_before = begun();
      take_other_queues();
      start_waiting();
      give_back_late();
      const std::size_t count = stopping_ ? 0 : room_worth_a_claim();
      if (count > 0) claim_and_start(count);
      // A claim does no more than so much at once: what is due may need another one.
      if (count > 0 && (begun() != begun_before || fired_ != fired_before || is_due())) continue;
      if (stopping_) give_back_all();
      if (active_ == 0 && changed_.value() == seen) {
        see_them_gone();
        return begun() - before;
      }
      wait_for_slot(seen, late_at());
    }
  } catch (...) {
    cancel_and_wait();
    throw;
  }
}

void worker::state::stop() noexcept {
  stopping_ = true;
  changed_.ring();
  queue_.kept_in().ring();
}

bool worker::state::is_due() const {
  return active_ < slots_ && !stopping_ && next_due_ && *next_due_ <= queue_.clock().now();
}

/// How many more it could hold, in slots and ahead of them. With its mutex.
std::size_t worker::state::room() const {
  const std::size_t most = slots_ + ahead_.window(steady_clock::now());
  return most - std::min(most, active_ + ahead_.size());
}

/// Some together, where a slot has no need of it at once.
std::size_t worker::state::room_worth_a_claim() const {
  const std::lock_guard lock(mutex_);
  const std::size_t free = room();
  const bool is_needed = ahead_.empty() && slots_taken_ < slots_;
  return is_needed || free > ahead_.window(steady_clock::now()) / 2 ? free : 0;
}

worker::state::answered_claim worker::state::claim(const claim_request& request) {
  const auto ask = [&] {
    fault_point("weft.jobs.claim");
    const auto losses = heartbeat_->losses();
    return answered_claim{queue_.kept_in().claim(request), losses};
  };
  try {
    return ask();
  } catch (const error& refused) {
    if (refused.code() != errc::not_found) throw;
    heartbeat_->beat();  // it was taken for dead, and joins again
    return ask();
  }
}

/// An answer may come so late, from a network that was gone or to a process that was stopped, that its jobs
/// are others' by then, and done. Those are not begun.
void worker::state::keep_claimed(answered_claim claimed) {
  {
    const std::lock_guard lock(mutex_);
    figures_.unroutable = claimed.result.unroutable;
    for (auto& one : claimed.result.jobs) ahead_.put(std::move(one), steady_clock::now());
  }
  if (claimed.losses != heartbeat_->losses()) give_back_all();
  see_that_they_are_ours();
}

/// Forgets those that are not: lost().
void worker::state::see_that_they_are_ours() {
  if (heartbeat_->is_sure()) return;
  try {
    heartbeat_->beat();
  } catch (const error& failed) {
    log::error("jobs: what was claimed is given back, as the store does not answer whether it still is ours",
               {{"worker", to_string(id_)}, {"error", failed.what()}});
    give_back_all();
  }
}

/// True if there may be more to claim at once.
bool worker::state::claim_and_start(std::size_t count) {
  claim_request request;
  request.owner = id_;
  request.queues = served_;
  for (auto& name : shares_.order()) request.queues.push_back(std::move(name));
  request.count = count;
  request.now = queue_.clock().now();
  request.routable = [this](std::string_view identity) { return places_.can_run(identity); };
  request.wants_schedule = [this](const stored_schedule& due) { return !not_for_us_.holds(due); };
  (void)not_for_us_.look(request.now);
  answered_claim answered;
  try {
    answered = claim(request);
  } catch (const error& failed) {
    log::error("jobs: a claim failed", {{"worker", to_string(id_)}, {"error", failed.what()}});
    next_due_.reset();
    sleep_for(pause_after_error);
    return true;
  }
  const claim_result& claimed = answered.result;
  next_due_ = claimed.next_due;
  const bool more_at_once = next_due_ && *next_due_ <= request.now;
  shares_.count(claimed.jobs, request.count, more_at_once);
  next_fire_ = claimed.next_fire;
  const bool more = claimed.jobs.size() == request.count || !claimed.schedules.empty();
  const std::vector<stored_schedule> due = std::move(answered.result.schedules);
  keep_claimed(std::move(answered));
  start_waiting();
  fire_some(due);
  return more;
}

/// Also called where an attempt has left its slot: nothing of it, as its log, may be seen by the next one.
void worker::state::start_waiting() noexcept {
  const auto outside = context().attach();
  while (auto next = next_to_start()) {
    const job_id id = next->claimed.id;
    try {
      start(std::move(*next));
    } catch (...) {
      log::write_exception(log::level::critical,
                           "jobs: a claimed job cannot be started; it is kept until the worker ends",
                           std::current_exception(), {{"job", to_string(id)}});
      free_slot();
      note_concluded();
    }
  }
}

std::optional<worker::state::begun_job> worker::state::next_to_start() {
  const std::lock_guard lock(mutex_);
  const auto losses = heartbeat_->losses();
  if (stopping_ || ahead_.empty() || slots_taken_ >= slots_) return std::nullopt;
  if (!heartbeat_->is_sure()) return std::nullopt;  // the loop asks, or gives them back
  ++slots_taken_;
  ++begun_;
  ++active_;
  return begun_job{ahead_.take(), losses};
}

/// A process may be stopped between the start of an attempt's fiber and its turn, past the lease, and may
/// have joined again by then.
bool worker::state::is_ours(const begun_job& one) const {
  return heartbeat_->is_sure() && heartbeat_->losses() == one.losses;
}

void worker::state::start(begun_job begun) {
  const claimed_job& claimed = begun.claimed;
  const auto allowed = unsigned_now();
  auto opened = open_claimed(claimed, {queue_.keys(), queue_.secret_keys(), queue_.tenant(), *allowed},
                             queue_.clock().now());
  go_options options{.name = "job " + to_string(claimed.id), .context = context()};
  if (auto* const job = std::get_if<job_envelope>(&opened)) {
    try {
      options.context = context::from_wire(job->context);
    } catch (const error& bad) {
      log::warn("jobs: the context of a job cannot be read; it runs without", {{"error", bad.what()}});
    }
  }
  const attempt_end release = released(claimed, queue_.clock().now());
  try {
    auto body = [this, held = std::move(begun), what = std::move(opened)] {
      attempt_and_conclude(held, what);
    };
    go(std::move(body), std::move(options)).detach();  // NOLINT: the worker waits until active_ is zero
  } catch (const error& failed) {
    log::error("jobs: an attempt cannot be started",
               {{"job", to_string(release.id)}, {"error", failed.what()}});
    conclude(release);
    free_slot();
    note_concluded();
  }
}

void worker::state::attempt_and_conclude(const begun_job& begun,
                                         const std::variant<job_envelope, attempt_end>& opened) noexcept {
  try {
    slot taken(*this);
    if (const auto* const job = std::get_if<job_envelope>(&opened)) {
      attempt(begun, *job, taken);
    } else {
      taken.leave();
      const attempt_end& end = std::get<attempt_end>(opened);
      if (conclude(end)) meters_.in(begun.claimed.queue).count(end.record.outcome, end.next);
    }
  } catch (...) {
    log::write_exception(log::level::critical,
                         "jobs: an attempt cannot be concluded; its job is kept until the worker ends",
                         std::current_exception(), {{"job", to_string(begun.claimed.id)}});
  }
  note_concluded();
}

/// The last that an attempt does with the worker, which may end then: see_them_gone().
void worker::state::note_concluded() noexcept {
  const std::lock_guard lock(mutex_);
  --active_;
  changed_.ring();
}

/// Once active_ is zero: whoever made it so has let go of everything.
void worker::state::see_them_gone() { const std::lock_guard lock(mutex_); }

void worker::state::free_slot() noexcept {
  const std::lock_guard lock(mutex_);
  --slots_taken_;
  ahead_.note_end(steady_clock::now());
}

/// As if they had not been claimed; each on a fiber, so that they are stored together.
void worker::state::give_back(std::vector<claimed_job> jobs) {
  for (const auto& one : jobs) {
    const attempt_end release = released(one, queue_.clock().now());
    const auto back = [this, release]() noexcept {
      try {
        conclude(release);
      } catch (...) {
        log::write_exception(log::level::critical,
                             "jobs: a claimed job cannot be given back; it is kept until the worker ends",
                             std::current_exception(), {{"job", to_string(release.id)}});
      }
      note_concluded();
    };
    ++active_;
    try {
      go(back, {.name = "job " + to_string(one.id), .context = context()}).detach();  // NOLINT: as start()
    } catch (...) {
      back();
    }
  }
}

void worker::state::give_back_late() {
  give_back_what([this] { return ahead_.take_late(steady_clock::now()); });
}

void worker::state::give_back_all() {
  give_back_what([this] { return ahead_.take_all(); });
}

/// They are others' by now.
void worker::state::forget_waiting() {
  const std::lock_guard lock(mutex_);
  ahead_.take_all();
}

steady_time worker::state::late_at() const {
  const std::lock_guard lock(mutex_);
  return ahead_.late_at();
}

void worker::state::fire_some(const std::vector<stored_schedule>& due) {
  const auto allowed = unsigned_now();
  const job_keys with{queue_.keys(), queue_.secret_keys(), queue_.tenant(), *allowed};
  try {
    for (const auto& one : due) {
      const moment now = queue_.clock().now();
      const auto fire = fire_of(one, with, now);
      if (!fire) {
        not_for_us_.add(one, now + pause_of_unread);
      } else if (queue_.kept_in().fire(*fire)) {
        fired_ += fire->jobs.size();
      }
    }
  } catch (const error& failed) {
    // The schedule is still due.
    log::error("jobs: a schedule cannot be fired", {{"worker", to_string(id_)}, {"error", failed.what()}});
    sleep_for(pause_after_error);
  }
  if (const auto again = not_for_us_.look(queue_.clock().now())) {
    next_fire_ = std::min(next_fire_.value_or(*again), *again);
  }
}

/// Schedules are not kept waiting by what runs. One that is new, or due as the clock was set, is seen after
/// poll_interval.
void worker::state::wait_while_full(std::uint64_t seen) {
  const steady_time look_again = deadline_after(options_.poll_interval);
  if (!is_fire_due()) wait_for_slot(seen, std::min({until(next_fire_), look_again, late_at()}));
  if (!is_fire_due() && steady_clock::now() < look_again) return;
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    count = room();
  }
  claim_and_start(count);
}

bool worker::state::is_fire_due() const { return next_fire_ && *next_fire_ <= queue_.clock().now(); }

/// When a moment comes; never for none.
steady_time worker::state::until(const std::optional<moment>& when) const {
  return when ? deadline_after(*when - queue_.clock().now()) : no_deadline;
}

void worker::state::wait_for_work(std::uint64_t seen) {
  const steady_time next = std::min({until(next_due_), until(next_fire_), late_at()});
  queue_.kept_in().wait_bell(seen, std::min(next, deadline_after(options_.poll_interval)));
}

void worker::state::finish_what_runs() {
  give_back_all();
  const steady_time until = deadline_after(stop_grace_.load());
  for (auto seen = changed_.value(); active_ > 0 && steady_clock::now() < until; seen = changed_.value()) {
    if (active_ > 0) wait_for_slot(seen, until);
  }
  cancel_and_wait();
}

void worker::state::cancel_and_wait() noexcept {
  try {
    shield([&] {
      give_back_all();
      cancel_all();
      for (auto seen = changed_.value(); active_ > 0; seen = changed_.value()) {
        // One that was starting has entered itself by now.
        cancel_all();
        wait_for_slot(seen, deadline_after(std::chrono::seconds(1)));
      }
      see_them_gone();
    });
  } catch (const error& failed) {
    log::error("jobs: a stopping worker cannot wait for its attempts", {{"error", failed.what()}});
  }
}

void worker::state::cancel_all() noexcept {
  const std::lock_guard lock(mutex_);
  for (auto& [claim, attempt] : running_) attempt.scope->cancel(cancel_reason::shutdown);
}

void worker::state::cancel_some(const std::vector<job_id>& jobs) {
  const std::lock_guard lock(mutex_);
  for (const job_id id : jobs) {
    for (auto at = running_.lower_bound({id, 0}); at != running_.end() && at->first.first == id; ++at) {
      at->second.cancel_requested = true;
      at->second.scope->cancel(cancel_reason::requested);
    }
  }
}

worker_statistics worker::state::statistics() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

worker::worker(queue& from, services& app, worker_options options)
    : state_(std::make_unique<state>(from, app, std::move(options))) {}
worker::~worker() = default;
void worker::run() { state_->run(); }
std::size_t worker::run_due() { return state_->run_due(); }
void worker::change(worker_changes to) { state_->change(std::move(to)); }
void worker::stop() noexcept { state_->stop(); }
worker_id worker::id() const noexcept { return state_->id(); }
worker_statistics worker::statistics() const { return state_->statistics(); }

}  // namespace weft::inline v1::jobs
