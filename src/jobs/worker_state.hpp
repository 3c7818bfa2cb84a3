#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <weft/closure/runner.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/metrics/registry.hpp>

#include "jobs/attempt.hpp"
#include "jobs/bell.hpp"
#include "jobs/claimed_ahead.hpp"
#include "jobs/heartbeat.hpp"
#include "jobs/put_aside.hpp"
#include "jobs/queue_shares.hpp"
#include "jobs/run_places.hpp"
#include "jobs/worker_meters.hpp"

namespace weft::inline v1::jobs {

class later_pushes;

/// How many jobs are claimed ahead of a free slot where nobody says it. With one slot they keep their order.
constexpr std::size_t ahead_by_default(std::size_t slots) noexcept { return slots == 1 ? 0 : 256; }

/// What a worker does. Its loop (run, run_due) is on one fiber; each attempt is on a fiber of its own;
/// heartbeats come on their thread.
///
/// A job is claimed, waits in ahead_ for a slot, begins on a fiber of its own, leaves its slot when its
/// function is over, so that the next one begins, and is concluded: its end is stored.
///
/// mutex_ guards running_, the attempts that may be cancelled: an attempt enters itself before its
/// function starts and leaves before its cancel scope ends, so who holds the mutex may cancel it.
/// changed_ rings when an attempt was concluded or stop() was called: what the loop waits for when it may
/// claim nothing. Else it waits for the store's bell, which stop() rings, too.
class worker::state {
 public:
  state(queue& from, services& app, worker_options options);
  ~state();

  void run();
  std::size_t run_due();
  void change(worker_changes to);
  void stop() noexcept;
  worker_id id() const noexcept { return id_; }
  worker_statistics statistics() const;

 private:
  // A worker that was taken for dead may claim a job again while its old attempt still runs.
  using claim_key = std::pair<job_id, std::int64_t>;  // with the fence

  struct running_attempt {
    cancel_scope* scope;
    bool cancel_requested = false;
  };

  /// The place of an attempt among those that run at a time.
  class slot {
   public:
    explicit slot(state& of) : of_(&of) {}
    slot(const slot&) = delete;
    slot& operator=(const slot&) = delete;
    ~slot() { leave(); }
    /// Its function is over: the next one begins.
    void leave() noexcept {
      if (of_ == nullptr) return;
      of_->free_slot();
      std::exchange(of_, nullptr)->start_waiting();
    }

   private:
    state* of_;
  };

  // worker_change.cpp
  bool serves(const std::string& queue) const;
  void take_other_queues();
  std::shared_ptr<const retry_policy> retry_now() const;
  std::shared_ptr<const unsigned_closures> unsigned_now() const;

  // worker_loop.cpp
  bool is_due() const;
  std::size_t room() const;
  std::size_t room_worth_a_claim() const;
  struct answered_claim {
    claim_result result;
    std::uint64_t losses;  // heartbeat::losses() when it was asked for
  };
  answered_claim claim(const claim_request& request);
  void keep_claimed(answered_claim claimed);
  bool claim_and_start(std::size_t count);
  void start_waiting() noexcept;
  struct begun_job {
    claimed_job claimed;
    std::uint64_t losses;  // heartbeat::losses() when it was surely this worker's
  };
  std::optional<begun_job> next_to_start();
  void start(begun_job begun);
  bool is_ours(const begun_job& one) const;
  void attempt_and_conclude(const begun_job& begun,
                            const std::variant<job_envelope, attempt_end>& opened) noexcept;
  void free_slot() noexcept;
  void note_concluded() noexcept;
  void see_them_gone();
  void give_back(std::vector<claimed_job> jobs);
  /// What `take` takes out, with the mutex.
  template <typename F>
  void give_back_what(F take) {
    std::vector<claimed_job> taken;
    {
      const std::lock_guard lock(mutex_);
      taken = take();
      figures_.given_back += taken.size();
    }
    give_back(std::move(taken));
  }
  void give_back_late();
  void give_back_all();
  void see_that_they_are_ours();
  void forget_waiting();
  steady_time late_at() const;
  void wait_for_slot(std::uint64_t seen, steady_time until) { changed_.wait(seen, until); }
  void fire_some(const std::vector<stored_schedule>& due);
  void wait_while_full(std::uint64_t seen);
  bool is_fire_due() const;
  steady_time until(const std::optional<moment>& when) const;
  void wait_for_work(std::uint64_t seen);
  void finish_what_runs();
  void cancel_and_wait() noexcept;
  void cancel_all() noexcept;
  void cancel_some(const std::vector<job_id>& jobs);

  // worker_attempt.cpp
  void attempt(const begun_job& begun, const job_envelope& job, slot& taken);
  attempt_result run_traced(const begun_job& begun, const job_envelope& job, later_pushes& pushes);
  attempt_result run_closure(const begun_job& begun, const job_envelope& job, std::string context,
                             later_pushes& pushes);
  attempt_result left(const claim_key& key, attempt_result result);
  attempt_end end_of(const claimed_job& claimed, const job_envelope& job, const attempt_result& result,
                     moment started) const;
  void note_age(const claimed_job& claimed, const job_envelope& job, const attempt_end& end);
  bool has_alerted(const claimed_job& claimed, moment since);
  /// Is the end stored? Else another worker holds the job by now, or the store does not take it. Throws
  /// weft::error only where the store refuses what is to be pushed with the end.
  bool conclude(attempt_end end);
  std::optional<bool> try_conclude(const attempt_end& end);
  void count(const attempt_end& end, bool held);
  double random_of(const claimed_job& claimed) const;

  queue& queue_;
  services& app_;
  const worker_options options_;
  std::vector<std::string> served_;  // the loop's; options_.queues, until others are to be served
  queue_shares shares_;              // the loop's
  const worker_id id_;
  run_places places_;
  worker_meters meters_;

  std::mutex changing_;                   // held by change() alone
  std::vector<std::string> said_queues_;  // guarded by changing_; served_, or what it will be
  bell changed_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> has_other_queues_{false};  // other_queues_ is set
  std::atomic<std::size_t> slots_;             // changed with the mutex
  std::atomic<std::chrono::milliseconds> stop_grace_;
  std::atomic<std::size_t> active_{0};  // begun, and not concluded
  mutable std::mutex mutex_;
  claimed_ahead ahead_;                                // guarded by mutex_
  std::vector<std::string> other_queues_;              // guarded by mutex_; for the loop to take over
  std::shared_ptr<const retry_policy> retry_;          // guarded by mutex_
  std::shared_ptr<const unsigned_closures> unsigned_;  // guarded by mutex_
  std::size_t slots_taken_ = 0;                        // guarded by mutex_
  std::size_t begun_ = 0;                              // guarded by mutex_; attempts ever
  std::map<claim_key, running_attempt> running_;       // guarded by mutex_
  worker_statistics figures_;                          // guarded by mutex_
  std::optional<moment> next_due_;                     // the loop's
  std::optional<moment> next_fire_;                    // the loop's; of a schedule
  put_aside not_for_us_;                  // the store's thread, one claim at a time; the loop between them
  std::size_t fired_ = 0;                 // the loop's; jobs of schedules
  std::unique_ptr<heartbeat> heartbeat_;  // its thread uses the above
  metrics::source source_;                // uses the above
};

}  // namespace weft::inline v1::jobs
