#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <weft/closure/closure.hpp>
#include <weft/core/clock.hpp>
#include <weft/jobs/cron.hpp>
#include <weft/jobs/in_line.hpp>
#include <weft/jobs/job.hpp>
#include <weft/jobs/job_info.hpp>
#include <weft/jobs/pushed_closure.hpp>
#include <weft/jobs/schedule.hpp>
#include <weft/jobs/store.hpp>
#include <weft/jobs/transaction.hpp>
#include <weft/wire/json.hpp>
#include <weft/wire/key_ring.hpp>

namespace weft::inline v1::jobs {

namespace detail {
template <typename Value>
inline constexpr bool is_optional = false;
template <typename Value>
inline constexpr bool is_optional<std::optional<Value>> = true;
}  // namespace detail

struct queue_options {
  std::string name = "default";                     ///< where jobs go that do not say otherwise
  std::shared_ptr<const wire::key_ring> keys = {};  ///< signs and verifies jobs; needed
  /// Encrypts secret<T> arguments, and reads them in workers; may be the ring that signs. Null: pushes with
  /// secrets are refused.
  std::shared_ptr<const wire::key_ring> secret_keys = {};
  std::string tenant = {};  ///< whose jobs these are: signed with each; those of others are refused
  int max_attempts = 10;    ///< of jobs that do not say otherwise
  std::chrono::microseconds timeout{0};  ///< the same, of one attempt; 0: no bound
  transaction_options transaction = {};
  store_options store = {};
  const jobs::clock* clock = nullptr;  ///< null: the store's (store::clock); outlives the queue
  /// Of the jitter of retries and of control::backoff: with the same seed, a job's waits are the same. None:
  /// it is drawn for each queue object.
  std::optional<std::uint64_t> jitter_seed = {};
};

/// Work that must not be lost: closures, signed, in a durable store.
///
///     jobs::queue queue("sqlite:/var/lib/app/jobs.db", {.keys = keys});
///     queue.push(closure{send_welcome, user_id{42}}, {.delay = 5min});
///
/// A job runs at least once, in this or another process that has a jobs::worker on the same store. A
/// named closure may be run by any later build of the program, one without a name only by this build.
/// The context values that are marked for jobs go along. One that asks for a service whose type is
/// per_request (weft_scope) is refused by each of the calls that take closures: invalid_argument. For work
/// that may be lost with the process, weft::go and pools are cheaper.
///
/// Thread-safety: all members from any fiber or thread; a call waits for the store, a fiber is parked
/// meanwhile. Cancelled before its turn came it throws weft::cancelled and changes nothing. Throws
/// weft::error, see store. Lifetime: outlives its workers and whoever pushes. Not across fork.
class queue {
 public:
  /// Opens the store of `url`; see open_store. Throws weft::error (invalid_argument) without keys.
  queue(std::string_view url, queue_options options);
  /// On a store that is open already.
  queue(std::shared_ptr<jobs::store> kept_in, queue_options options);
  queue(const queue&) = delete;
  queue& operator=(const queue&) = delete;

  /// Keeps the job and returns its id once it is on disk; see push_options::unique for another's id.
  template <typename Result>
  job_id push(const closure<Result>& what, const push_options& options = {}) {
    const auto one = detail::describe_closure(what);
    return push_closures({&one, 1}, options).front();
  }
  /// All or none, in one transaction; the ids in the same order.
  template <typename Result>
  std::vector<job_id> push_many(const std::vector<closure<Result>>& all, const push_options& options = {}) {
    return push_closures(describe_all(all), options);
  }

  /// A batch: all jobs, and `then`, which runs once all of them have ended in whatever way, in one
  /// transaction. Its id is that of the job of `then`: that asks batch(job.id()) how the others have ended.
  /// `options` hold for the jobs; none may be unique.
  template <typename Result, typename Then>
  pushed_batch push_batch(const std::vector<closure<Result>>& all, const closure<Then>& then,
                          const push_options& options = {}, const push_options& then_options = {}) {
    return push_batch_closures(describe_all(all), detail::describe_closure(then), options, then_options);
  }
  /// Lets a batch grow: its last job waits for these as well. For jobs of the batch; throws weft::error
  /// (refused) once nothing of it waits or runs any more. An attempt that is run again adds again: use
  /// control::checkpoint.
  template <typename Result>
  std::vector<job_id> add_to_batch(job_id batch, const std::vector<closure<Result>>& all,
                                   const push_options& options = {}) {
    return add_to_batch_closures(batch, describe_all(all), options);
  }
  /// The batch that the job is one of; nothing: of none, or there is no such job.
  std::optional<job_id> batch_of(job_id id);
  /// How many jobs of the batch are in each state, its last one not counted; deleted ones are forgotten.
  state_counts batch(job_id id);

  /// Runs the closure once here, on the task that calls, with services of `from` and a jobs::control whose
  /// in_line() is true. Where it asks for another time (delay, backoff), it becomes a job that runs then,
  /// durable before this returns; the schedule of backoff goes on in the worker where it began here. What
  /// it throws reaches the caller, and nothing is pushed, unless `on_error` says otherwise; a cancellation
  /// never pushes. `from` lends its singletons and those of its request; per_task services are the run's
  /// own. What cannot be pushed is refused before it runs, and so are `after` and `after_end`
  /// (invalid_argument); `options` hold for the job, but for its moment.
  template <typename Result>
  ran_or_pushed<Result> run_or_push(const closure<Result>& what, services& from,
                                    const push_options& options = {},
                                    in_line_error on_error = in_line_error::thrown) {
    ran_or_pushed<Result> ended;
    const auto body = [&](services& task) {
      if constexpr (std::is_void_v<Result>) {
        what.in(task)();
      } else {
        ended.result.emplace(what.in(task)());
      }
    };
    ended.pushed = run_in_line(detail::describe_closure(what), from, options, on_error, body);
    if constexpr (!std::is_void_v<Result>) {
      if (ended.pushed) ended.result.reset();
    }
    return ended;
  }

  /// Runs `body(transaction&)` in one durable transaction of the store, on the store's own thread, in the
  /// caller's context: its statements and its pushes all happen, or none. What the body throws undoes
  /// it and reaches the caller; others that commit in the same group are not touched. It must not wait,
  /// and must be done within the time limit; others wait for it. It is never run twice. Returns what it
  /// returns.
  template <typename Body>
  auto transact(Body&& body) -> std::invoke_result_t<Body&, transaction&> {
    using value = std::invoke_result_t<Body&, transaction&>;
    if constexpr (std::is_void_v<value>) {
      transact_with([&](transaction& inside) { body(inside); });
    } else {
      std::optional<value> returned;
      transact_with([&](transaction& inside) { returned.emplace(body(inside)); });
      return std::move(*returned);
    }
  }

  /// What the job returned; nothing if it is not done, or returned nothing. Kept as long as the job. Throws
  /// weft::error: bad_signature, not_found (signed with a key that is not here), malformed (of another type).
  template <typename Result>
  std::optional<Result> result(job_id id) {
    const auto json = result_json(id);
    if (!json) return std::nullopt;
    return wire::from_json<Result>(*json);
  }
  /// The same as JSON.
  std::optional<std::string> result_json(job_id id);

  /// Waits until the job is done, and returns what it returned. Throws job_given_up where it ended
  /// otherwise, with its state and the last attempt's error; weft::error: timed_out where `until` came
  /// first, not_found (no such job, or no result), and what result() throws. Given up itself, it leaves the
  /// job alone. A job that waits for another keeps its place in the worker; push_options::after does not.
  template <typename Result>
  Result wait(job_id id, steady_time until = no_deadline) {
    const auto json = wait_json(id, until);
    if constexpr (!std::is_void_v<Result>) {
      if (json) return wire::from_json<Result>(*json);
      if constexpr (!detail::is_optional<Result>) throw_no_result(id);
      return Result();
    }
  }
  /// Pushes the closure and waits for its result. The job goes on where the wait is given up.
  template <typename Result>
  Result push_and_wait(const closure<Result>& what, const push_options& options = {},
                       steady_time until = no_deadline) {
    return wait<Result>(push(what, options), until);
  }

  /// The job with all its attempts; nothing if there is none (any more).
  std::optional<job_info> show(job_id id);
  /// Jobs, newest first, without their attempts.
  std::vector<job_info> list(const list_filter& filter = {});
  std::vector<queue_stats> stats();
  /// Waiting jobs whose closure this program does not have. Those of a closure that it has, and a worker no
  /// place for, are in that worker's statistics.
  std::int64_t unroutable();

  /// Stops claims from the queue, in all processes, until resume(): pushes go on, and what runs. Durable.
  /// Empty: the queue's default name.
  void pause(std::string_view name = {});
  /// Lets a paused queue go on. No effect on others.
  void resume(std::string_view name = {});

  /// Pushes a job of the closure at each time that `when` is due, from now on, by the workers of the queue,
  /// each time once however many there are: durable, and signed as a job is. The name is unique in the
  /// store. Given again it is changed in place, so that a program does this at each start: what passed
  /// while no worker was there is made up for by the policy, as long as `when` is the same. The job's
  /// control::due() says which time it is for; the caller's context does not go along. Throws weft::error
  /// too where an argument is a secret (unsupported).
  template <typename Result>
  void schedule(std::string_view name, const cron& when, const closure<Result>& what,
                const schedule_options& options = {}) {
    put_schedule(name, when, detail::describe_closure(what), options);
  }
  /// Ends the schedule; jobs that it pushed stay. False: there is none of that name.
  bool unschedule(std::string_view name);
  /// All of the store, by name.
  std::vector<schedule_info> schedules();
  /// Nothing is pushed until resume_schedule; times in between are not made up for. False: there is none.
  bool pause_schedule(std::string_view name);
  /// Lets a paused schedule go on with its next time. No effect on others. False: there is none.
  bool resume_schedule(std::string_view name);
  /// Pushes a job of the schedule now, also of a paused one, besides those of its times: these are not moved.
  /// The job's control::due() is this moment. Nothing: there is no schedule of that name. Throws weft::error
  /// where it cannot be trusted or read.
  std::optional<job_id> fire_now(std::string_view schedule);

  /// Gives a waiting job up; asks a running one to give up. False: it has ended, or there is none.
  bool cancel(job_id id);
  /// Makes a dead, cancelled or quarantined job ready again. False: it is none of these. Throws weft::error
  /// (already_exists) if another job has its unique key by now, and (refused) if it has expired.
  bool retry(job_id id);
  /// The same for up to `limit` jobs of this queue's default name that are dead (or `state`), oldest first,
  /// 500 in a transaction. Returns how many; those whose unique key another has, or that have expired, stay.
  /// Call it until it returns 0.
  std::size_t retry_all(std::size_t limit = 1000, job_state state = job_state::dead);
  /// Deletes up to `limit` jobs that ended (but quarantined ones) more than `age` ago. Returns how many.
  std::size_t purge(std::chrono::microseconds age, std::size_t limit = 1000);

  const std::string& name() const noexcept { return options_.name; }
  jobs::store& kept_in() noexcept { return *store_; }
  const wire::key_ring& keys() const noexcept { return *options_.keys; }
  /// Null where secrets are refused.
  const wire::key_ring* secret_keys() const noexcept { return options_.secret_keys.get(); }
  const std::string& tenant() const noexcept { return options_.tenant; }
  const jobs::clock& clock() const noexcept { return *options_.clock; }
  std::uint64_t jitter_seed() const noexcept { return *options_.jitter_seed; }

 private:
  friend class later_pushes;
  friend class transaction;
  template <typename Result>
  static std::vector<detail::pushed_closure> describe_all(const std::vector<closure<Result>>& all) {
    std::vector<detail::pushed_closure> each;
    for (const auto& one : all) each.push_back(detail::describe_closure(one));
    return each;
  }
  pushed_batch push_batch_closures(std::span<const detail::pushed_closure> all,
                                   const detail::pushed_closure& then, const push_options& options,
                                   const push_options& then_options);
  std::vector<job_id> add_to_batch_closures(job_id batch, std::span<const detail::pushed_closure> all,
                                            const push_options& options);
  std::vector<new_job> jobs_of_batch(job_id batch, std::span<const detail::pushed_closure> all,
                                     const push_options& options) const;
  new_job make_job(const detail::pushed_closure& what, const push_options& options) const {
    return make_job(make_id(), what, options);
  }
  new_job make_job(job_id id, const detail::pushed_closure& what, const push_options& options) const;
  new_job make_job(job_id id, const detail::pushed_closure& what, const push_options& options,
                   std::string context) const;
  job_id make_id() const;
  std::optional<job_id> run_in_line(const detail::pushed_closure& what, services& from,
                                    const push_options& options, in_line_error on_error,
                                    const std::function<void(services&)>& body);
  std::vector<job_id> push_closures(std::span<const detail::pushed_closure> all, const push_options& options);
  std::optional<std::string> wait_json(job_id id, steady_time until);
  [[noreturn]] static void throw_no_result(job_id id);
  void put_schedule(std::string_view name, const cron& when, const detail::pushed_closure& what,
                    const schedule_options& options);
  void transact_with(const std::function<void(transaction&)>& body);

  queue_options options_;
  std::shared_ptr<jobs::store> store_;
};

}  // namespace weft::inline v1::jobs
