#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/jobs/batch.hpp>
#include <weft/jobs/clock.hpp>
#include <weft/jobs/job.hpp>
#include <weft/jobs/sql.hpp>

struct sqlite3;

namespace weft::inline v1::jobs {

/// What at most one job at a time may have.
struct unique_key {
  std::string key;
  unique_until until = unique_until::ended;
  moment at_least{};  ///< and others are kept out up to this moment, whatever becomes of the job
};

/// A job that another one waits for.
struct job_dependency {
  job_id on{};
  bool even_if_given_up = false;  ///< its end is enough, however it ends
};

/// What is written once, at the push. The envelope is opaque and signed; the columns beside it are
/// what the store needs to find the job, and the envelope repeats those that must not be changed.
struct new_job {
  job_id id{};
  std::string queue;
  std::string handler;  ///< identity of the closure
  std::string envelope;
  int priority = 0;
  moment created{};
  moment run_at{};  ///< not after `created`: ready at once
  std::optional<unique_key> unique = {};
  std::vector<std::string> tags = {};
  std::optional<limit_options> limit = {};
  std::vector<job_dependency> after = {};
  int backoffs = 0;                    ///< calls of control::backoff that were made before the push
  std::optional<job_id> before = {};   ///< a job that waits for others, and for the end of this one, too
  std::optional<moment> expires = {};  ///< where it waits after that moment, the next claim makes it dead
};

/// Of one job, the attempts of so many claims are kept: of the last ones.
inline constexpr std::int64_t attempts_kept_max = 100;

/// One finished attempt as it is kept: error and records are bytes that the store does not read.
struct stored_attempt {
  int attempt = 0;         ///< 1 for the first; for people and retry policies
  std::int64_t fence = 0;  ///< claim number, grows at each claim
  worker_id owner{};
  attempt_outcome outcome = attempt_outcome::done;
  moment started{};
  moment ended{};
  std::string error{};
  std::string records{};
};

/// A job as it is kept.
struct stored_job {
  job_id id{};
  std::string queue;
  std::string handler;
  std::string envelope;
  int priority = 0;
  moment created{};
  job_state state = job_state::ready;
  moment run_at{};                 ///< while scheduled or ready
  std::optional<moment> finished;  ///< once done, dead, cancelled or quarantined
  int attempts = 0;                ///< attempts that count and have failed
  int backoffs = 0;                ///< calls of control::backoff that asked for another time
  int crashes = 0;                 ///< workers, and worker processes, that went away while they had it
  std::int64_t fence = 0;
  std::optional<worker_id> owner;        ///< while running
  bool cancel_requested = false;         ///< while running
  std::vector<std::string> tags;         ///< in the order of their letters
  std::string limit;                     ///< key of its limit, only from find()
  std::vector<job_id> waits_for;         ///< jobs that keep it blocked, only from find()
  std::optional<job_progress> progress;  ///< while running, only from find()
  std::optional<std::string> result;     ///< once done, only from find()
  std::vector<stored_attempt> past;      ///< of the last 100 claims, oldest first; only from find()
};

struct stored_schedule;

struct claim_request {
  worker_id owner{};
  std::vector<std::string> queues;  ///< in the order they are looked at
  std::size_t count = 1;
  moment now{};
  /// Can this worker run the closure with that identity? Others stay ready. Called by the store's thread, or
  /// under its lock: must be quick, not wait, and not use the store.
  std::function<bool(std::string_view handler)> routable;
  /// Is this worker to be told of that due schedule? Others stay due. None: of all. Called as routable is.
  std::function<bool(const stored_schedule& due)> wants_schedule = {};
};

struct claimed_job {
  job_id id{};
  std::string queue;
  std::string handler;
  std::string envelope;
  int priority = 0;
  std::int64_t fence = 0;
  int attempts = 0;  ///< before this one
  int backoffs = 0;
  int crashes = 0;
};

/// A schedule as it is kept. The envelope is opaque and signed.
struct stored_schedule {
  std::string name;    ///< unique in the store
  std::string queue;   ///< whose workers look at it
  std::string timing;  ///< another text is another series of times
  std::string envelope;
  moment last{};  ///< all times up to then were seen to
  moment next{};  ///< it is to be looked at then
  bool paused = false;
};

/// A schedule moves on, and its jobs are pushed.
struct schedule_fire {
  std::string name;
  std::string envelope;  ///< as it was seen, and `seen` the `next` of then: else another one was faster
  moment seen{};
  moment now{};
  moment last{};
  moment next{};
  std::vector<new_job> jobs = {};
};

inline constexpr std::int64_t unroutable_counted_max = 100;

struct claim_result {
  std::vector<claimed_job> jobs;
  /// When a claim has more to do, of any queue: the next scheduled job falls due, a rate has its next token,
  /// or a job that waits expires.
  std::optional<moment> next_due;
  /// Ready jobs of the queues that were looked at whose closure the worker does not know; of one closure in
  /// one queue, unroutable_counted_max are counted at most.
  std::size_t unroutable = 0;
  std::vector<stored_schedule> schedules;  ///< that are due, of the queues, longest first; 100 at most
  /// When the next one of these queues is due, once those have moved on: later than now, or now where more
  /// than those are due.
  std::optional<moment> next_fire;
};

/// What becomes of a job after an attempt.
enum class next_step : unsigned char {
  done,
  again,  ///< back to scheduled or ready, for `run_at`
  dead,
  cancelled,
  quarantined,
  released,  ///< back to ready as if it had not been claimed; no attempt is kept
};

struct attempt_end {
  job_id id{};
  worker_id owner{};
  std::int64_t fence = 0;
  next_step next = next_step::done;
  moment now{};
  moment run_at{};         ///< for `again`
  bool counts = true;      ///< for `again`: spends one of the job's attempts
  bool backs_off = false;  ///< for `again`: counts as a backoff call
  bool crashed = false;    ///< its process died under it: counts as a crash, whatever the next step
  stored_attempt record;   ///< attempt, outcome, times, error, records; the rest is filled in
  bool durable = false;    ///< wait for the disk, not only for the commit
  std::optional<std::string> result = {};  ///< for `done`: bytes that are kept as long as the job
  std::vector<new_job> pushes = {};        ///< for `done`: are pushed with it, or it does not end
};

/// Steps that are kept of a job.
inline constexpr std::size_t steps_max = 1000;

struct worker_row {
  worker_id id{};
  std::string host;  ///< equal for processes that can see each other's pids
  std::int64_t pid = 0;
  std::int64_t pid_started = 0;  ///< start time of that pid, against reuse
  std::string build;
  std::int64_t beat = 0;     ///< grows with each heartbeat
  std::int64_t running = 0;  ///< jobs it holds; only from workers()
};

/// Up to which moments jobs have ended that a purge deletes.
struct purge_bounds {
  moment done{};
  moment given_up{};  ///< of dead and cancelled jobs
  /// The same for all.
  purge_bounds(moment all) : done(all), given_up(all) {}  // NOLINT: as a moment is enough to say it
  purge_bounds(moment done_before, moment given_up_before) : done(done_before), given_up(given_up_before) {}
};

/// The jobs of a queue.
struct queue_stats : state_counts {
  std::string queue;
  bool paused = false;
  bool operator==(const queue_stats&) const = default;
};

/// The first moment that a job of a queue, which could be claimed by now, was pushed for.
struct oldest_ready {
  std::string queue;
  moment since{};
  bool operator==(const oldest_ready&) const = default;
};
/// Lines of jobs that find_oldest_ready() looks at, and as many jobs that have fallen due.
inline constexpr std::size_t oldest_ready_lines_max = 1000;

/// A limit as it is kept, and what it does now.
struct stored_limit {
  limit_options is;
  bool pinned = false;         ///< somebody has set it: pushes do not change it
  std::int64_t running = 0;    ///< jobs
  std::int64_t held_back = 0;  ///< jobs that it keeps waiting; limit_waits_counted_max are counted at most
};
inline constexpr std::int64_t limit_waits_counted_max = 1000;

/// Which jobs list() returns, newest first.
struct list_filter {
  std::string queue;               ///< empty: all
  std::string tag = {};            ///< empty: all
  std::optional<job_state> state;  ///< none: all
  bool without_done = false;       ///< where no state is named: all but those that are done
  std::optional<job_id> before;    ///< for the next page: older than this one
  std::size_t limit = 100;
};

/// The user's side of a transaction, for the store's implementations; users have jobs::transaction.
class store_transaction {
 public:
  virtual ~store_transaction() = default;
  /// As store::push.
  virtual job_id push(const new_job& job) = 0;
  /// The writer connection; null where the store has none.
  virtual ::sqlite3* sqlite() = 0;
  virtual sql_rows run(std::string_view sql, std::span<const sql_value> parameters) = 0;
  /// Rows changed by the last statement of run().
  virtual std::int64_t changes() = 0;
};

struct transaction_options {
  std::chrono::milliseconds limit{1000};  ///< for the whole body
};

/// Where jobs are kept: the seam between queues and databases. The contract suite in
/// tests/store_contract says what each implementation must do. Moments are the caller's, who goes by clock(),
/// unless a test has a clock of its own.
///
/// Thread-safety: all members may be called from any fiber or thread. A call waits until the change
/// is committed; a fiber is parked meanwhile. Cancelled before its turn came, it throws
/// weft::cancelled and nothing is changed; later it is completed. Errors are weft::error and leave
/// nothing of that call behind: storage_full, busy, io_error, corrupt.
class store {
 public:
  virtual ~store() = default;

  /// The clock that all who use the store share: on one machine its wall clock, with a server that of the
  /// server. now() does not wait. Lives as long as the store.
  virtual const jobs::clock& clock() const { return jobs::clock::system(); }

  /// Keeps the jobs, all or none, durably, and returns their ids. A job whose unique key another has is
  /// not kept: its place in the answer is the other's id. already_exists if an id is taken, not_found if
  /// one waits for a job that is neither here nor earlier in `jobs`, refused if one is to end before a job
  /// that waits for no other.
  virtual std::vector<job_id> push(std::span<const new_job> jobs) = 0;
  /// Runs `body` in one durable transaction, on the store's own thread, in the caller's context.
  /// What it throws undoes the body and reaches the caller.
  virtual void transact(const std::function<void(store_transaction&)>& body,
                        const transaction_options& options) = 0;

  /// Makes up to `count` ready jobs the owner's: by priority. Within a queue and a priority the keys of
  /// limits take turns, a job each, in a round that goes on with the next claim; jobs without a limit are one
  /// of them. Those of one key come by moment, then id. One whose limit is reached is blocked, until another
  /// job of the limit ends its attempt. not_found if the owner is no worker of add_worker (any more): nobody
  /// would take its jobs back. Before that, up to 500 jobs of any queue that have expired become dead, each
  /// with a refused attempt that says so.
  virtual claim_result claim(const claim_request& request) = 0;
  /// Ends the attempt if the owner still holds that fence. One that is released was not begun. False: another
  /// has it, nothing was changed. Where it has pushes, throws what push does; then nothing was changed, too.
  virtual bool finish(const attempt_end& end) = 0;
  /// Shows how far the attempt is, until it ends. False: the owner does not hold that fence.
  virtual bool progress(job_id id, worker_id owner, std::int64_t fence, const job_progress& now_at) = 0;
  /// What a step of that name left for later attempts; nothing: none did.
  virtual std::optional<std::string> step(job_id id, std::string_view name) = 0;
  /// Calls `each` with what every step of the job left. On the store's thread, or under its lock: it must be
  /// quick, not wait, and not use the store.
  virtual void read_steps(job_id id, const std::function<void(std::string_view value)>& each) = 0;
  /// Keeps what a step leaves, durably, in the place of what one of that name has left, as long as the job
  /// is kept. False: the owner does not hold that fence. resource_exhausted: the job has steps_max others.
  virtual bool keep_step(job_id id, worker_id owner, std::int64_t fence, std::string_view name,
                         std::string_view value) = 0;
  /// Does the owner still hold that fence?
  virtual bool holds(job_id id, worker_id owner, std::int64_t fence) = 0;

  /// Adds the schedule, durably, or puts it in the place of that with its name: that keeps whether it is
  /// paused, and its times where the timing is the same and `last` is not later than the one given by more
  /// than a minute: else a clock was put back, and the times given hold.
  virtual void put_schedule(const stored_schedule& schedule) = 0;
  /// False: there is none.
  virtual bool remove_schedule(std::string_view name) = 0;
  /// A paused schedule is never due. False: there is none.
  virtual bool pause_schedule(std::string_view name) = 0;
  /// Lets a paused one go on with these times; no effect on others. False: there is none.
  virtual bool resume_schedule(std::string_view name, moment last, moment next) = 0;
  /// By name.
  virtual std::vector<stored_schedule> schedules() = 0;
  /// Moves the schedule on and pushes the jobs, durably, both or none. False, and nothing was changed:
  /// it is not as it was seen any more.
  virtual bool fire(const schedule_fire& fire) = 0;

  /// Its first beat is one more than that of the row. No effect if it is there.
  virtual void add_worker(const worker_row& worker) = 0;
  /// One heartbeat. Returns the jobs of this worker whose cancellation was asked for; not_found if
  /// the worker was taken for dead.
  virtual std::vector<job_id> beat(worker_id owner) = 0;
  /// Forgets the worker; what it still holds ends as released, but for the tokens of rates: nobody knows what
  /// of it was begun, so they are used up.
  virtual void remove_worker(worker_id owner, moment now) = 0;
  virtual std::vector<worker_row> workers() = 0;
  /// Which worker leads: it does for all what one should do, as to look for dead workers. That is the one
  /// that did so, as long as it is a worker, and is not `silent`: the one that leads as it was shown, where
  /// it has not beaten since. Else it is `self` from now on. not_found if `self` is no worker (any more).
  virtual worker_row lead(worker_id self, const std::optional<worker_row>& silent) = 0;
  /// Forgets a dead worker, as workers() showed it: its jobs go back to ready with one more crash, at
  /// `crashes_max` to quarantine. Returns how many it held; nothing, and nothing was changed, if it is not
  /// there or has beaten since.
  virtual std::optional<std::size_t> rescue(const worker_row& seen, moment now, int crashes_max) = 0;

  /// Waiting jobs are cancelled. A running one is asked to end, and does not wait again. False if it had
  /// already ended.
  virtual bool cancel(job_id id, moment now) = 0;
  /// Makes a dead, cancelled or quarantined job ready again with all its attempts. False if it is not one.
  /// already_exists if another job has its unique key by now; refused if its moment to begin is over
  /// (new_job::expires). It waits for no other job any more.
  virtual bool retry(job_id id, moment now) = 0;
  /// The same for up to `limit` jobs of a queue (empty: of all) that are in `state`, oldest first. Returns
  /// how many; those whose unique key another has, or that have expired, are left as they are.
  virtual std::size_t retry_all(std::string_view queue, job_state state, moment now, std::size_t limit) = 0;
  /// Deletes up to `limit` done, dead and cancelled jobs that ended before these moments. Returns how many.
  /// Jobs that wait for one to be done after all are cancelled.
  virtual std::size_t purge(const purge_bounds& before, moment now, std::size_t limit) = 0;
  /// Deletes the job, with its attempts, steps and result. One that waits is cancelled first, and jobs that
  /// wait for it to be done are, too. False, and nothing was changed: it is not there, it runs, or it is not
  /// in the state any more in which it was `seen` by whom decided; nothing: in whatever state.
  virtual bool remove(job_id id, std::optional<job_state> seen, moment now) = 0;

  /// Limits by key: those behind `after` (empty: all). Some that no kept job has any more may be among them.
  virtual std::vector<stored_limit> limits(std::string_view after, std::size_t count) = 0;
  /// Sets the limit of a key for all its jobs, durably. Pinned, it stays so whatever pushes say of it; else
  /// the next push of its key says what it is. Tokens that are missing stay so.
  virtual void set_limit(const limit_options& limit, bool pinned, moment now) = 0;
  /// From now on the next push of that key says what its limit is, which stays as it is until then, durably.
  /// False, and nothing was changed: it is not pinned.
  virtual bool release_limit(std::string_view key) = 0;

  /// A paused queue takes pushes, and what runs goes on, but nothing of it is claimed. Durable.
  virtual void set_paused(std::string_view queue, bool paused) = 0;

  virtual std::optional<stored_job> find(job_id id) = 0;
  virtual std::vector<stored_job> list(const list_filter& filter) = 0;
  virtual std::vector<queue_stats> stats() = 0;
  /// For each queue with jobs that could be claimed at `now`, the first of the moments that these were pushed
  /// for, or are to be tried again at (run_at); by name. So the time in which a job waited for others or for
  /// a limit, or ran, is included. Those of paused queues, and scheduled ones that are due, are among them.
  /// Bounded: where jobs wait in more than oldest_ready_lines_max lines (of a queue, closure, priority and
  /// limit), or more have fallen due and were not claimed since, some are left out.
  virtual std::vector<oldest_ready> find_oldest_ready(moment now) = 0;
  /// Jobs with that tag.
  virtual state_counts count_tagged(std::string_view tag) = 0;
  /// Tags that begin with `start` and that kept jobs have, the last by their bytes first, only those before
  /// `before` (empty: all). Costs a search for each, however many jobs have it.
  virtual std::vector<std::string> tags(std::string_view start, std::string_view before,
                                        std::size_t limit) = 0;
  /// Waiting jobs whose closure `routable` does not know. Called as that of a claim.
  virtual std::int64_t count_unroutable(const std::function<bool(std::string_view handler)>& routable) = 0;

  /// A number that grows when there may be new work, also by another process.
  virtual std::uint64_t bell() const = 0;
  /// Waits until the bell differs from `seen`, at most until `until`. Returns the bell.
  virtual std::uint64_t wait_bell(std::uint64_t seen, steady_time until) = 0;
  /// Rings the bell here: wakes who waits in wait_bell.
  virtual void ring() = 0;

  /// A number that grows when that job may have ended, also by another process.
  virtual std::uint64_t end_bell(job_id id) const = 0;
  /// Waits until it differs from `seen`, at most until `until`. Returns it.
  virtual std::uint64_t wait_end(job_id id, std::uint64_t seen, steady_time until) = 0;
};

struct store_options {
  std::chrono::milliseconds busy_timeout{10'000};  ///< how long a write waits for other processes
  /// Looks for changes of other processes at least that often. Usually they are told at once, by a file
  /// beside the database, and at least every 20 ms where there can be none.
  std::chrono::milliseconds poll_interval{1000};
  std::size_t wal_pages_max = 2'000;  ///< pages in the write-ahead log that ask for a checkpoint
  bool durable = true;                ///< false: a power cut may undo pushes; for tests and benchmarks
  /// Make the file and its tables where there are none, and bring older tables up to date. False: they must
  /// be there; not_found else, and unsupported where they are older. For tools that look at what others made.
  bool prepare = true;
};

/// Opens the store of a URL: `sqlite:/path/file.db` (made if it does not exist),
/// `postgres://user@host/database` (its tables are made, the database is not), or `memory:`. Errors name the
/// path and what to do: invalid_argument (no such scheme, a directory), not_found, refused (read-only),
/// unsupported (the file system cannot do it; a schema of a newer build; built without PostgreSQL), corrupt,
/// busy; unavailable where a server cannot be reached.
std::shared_ptr<store> open_store(std::string_view url, const store_options& options = {});

/// The version of the SQLite library in use, and whether it needs weft's lock file against the
/// WAL-reset bug (fixed in 3.51.3). For the doctor.
struct sqlite_version_info {
  std::string version;
  bool has_wal_reset_bug = false;
};
sqlite_version_info sqlite_version();

}  // namespace weft::inline v1::jobs
