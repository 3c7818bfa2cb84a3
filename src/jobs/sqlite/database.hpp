#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <weft/jobs/store.hpp>

#include "jobs/job_life.hpp"
#include "jobs/sqlite/connection.hpp"
#include "jobs/token_bucket.hpp"

namespace weft::inline v1::jobs::sqlite {

/// The job has a row in weft_unique.
inline constexpr std::int64_t flag_unique = 1;
/// Jobs wait for it.
inline constexpr std::int64_t flag_parent = 2;
/// It was pushed behind others.
inline constexpr std::int64_t flag_child = 4;
/// It has rows in weft_tag.
inline constexpr std::int64_t flag_tagged = 8;
/// It expires: weft_expiry has it while it waits.
inline constexpr std::int64_t flag_expires = 16;

/// The statements of the store on one connection: what each request does, within the transaction that
/// the writer has begun. Read schema.cpp first.
///
/// One thread: that of its connection.
class database {
 public:
  explicit database(connection& to) : connection_(to) {}

  // pushes.cpp
  job_id push(const new_job& job);
  void set_paused(std::string_view queue, bool paused);

  // claims.cpp
  bool is_idle(const claim_request& request, claim_result& result);
  void claim(const claim_request& request, claim_result& result);

  // attempts.cpp
  bool finish(const attempt_end& end);
  bool progress(job_id id, worker_id owner, std::int64_t fence, const job_progress& now_at);
  bool holds(job_id id, worker_id owner, std::int64_t fence);
  bool cancel(job_id id, moment now);
  bool retry(job_id id, moment now);
  /// Some of a retry_all().
  struct retry_step {
    std::int64_t after = 0;   ///< the id of the last one that was looked at
    std::size_t retried = 0;  ///< so far
    bool is_last = false;     ///< there are no more
  };
  void retry_some(std::string_view queue, job_state state, moment now, std::size_t limit, retry_step& at);

  // steps.cpp
  std::optional<std::string> step(job_id id, std::string_view name);
  void read_steps(job_id id, const std::function<void(std::string_view value)>& each);
  bool keep_step(job_id id, worker_id owner, std::int64_t fence, std::string_view name,
                 std::string_view value);

  // schedules.cpp
  void put_schedule(const stored_schedule& schedule);
  bool remove_schedule(std::string_view name);
  bool pause_schedule(std::string_view name);
  bool resume_schedule(std::string_view name, moment last, moment next);
  std::vector<stored_schedule> schedules();
  bool fire(const schedule_fire& fire);

  // owners.cpp
  void add_worker(const worker_row& worker);
  void check_worker(worker_id owner);
  std::vector<job_id> beat(worker_id owner);
  void remove_worker(worker_id owner, moment now);
  std::vector<worker_row> workers();
  worker_row lead(worker_id self, const std::optional<worker_row>& silent);
  std::optional<std::size_t> rescue(const worker_row& seen, moment now, int crashes_max);

  // reads.cpp
  std::optional<stored_job> find(job_id id);

  // deletes.cpp
  std::size_t purge(const purge_bounds& before, moment now, std::size_t limit);
  bool remove(job_id id, std::optional<job_state> seen, moment now);

  // limits.cpp
  std::vector<stored_limit> limits(std::string_view after, std::size_t count);
  void set_limit(const limit_options& limit, bool pinned, moment now);
  bool release_limit(std::string_view key);

  // lists.cpp
  std::vector<stored_job> list(const list_filter& filter);
  std::vector<std::string> tags(std::string_view start, std::string_view before, std::size_t limit);

  // counts.cpp
  std::vector<queue_stats> stats();
  std::vector<oldest_ready> find_oldest_ready(moment now);
  state_counts count_tagged(std::string_view tag);
  std::int64_t count_unroutable(const std::function<bool(std::string_view)>& routable);
  /// A request has succeeded: its counts go with those of the turn.
  void keep_counts();
  /// Writes the counts of the turn, as the last thing before its commit.
  void store_counts() { store_counts(turn_counts_); }
  /// Writes those of the request at hand, where a user may undo a part of it.
  void store_request_counts() { store_counts(request_counts_); }

  /// A statement in use: reset at the end, since one that is left in the middle keeps a snapshot open.
  class used {
   public:
    explicit used(statement& of) noexcept : statement_(&of) {}
    used(const used&) = delete;
    used& operator=(const used&) = delete;
    ~used() { statement_->reset(); }
    statement* operator->() const noexcept { return statement_; }

   private:
    statement* statement_;
  };
  /// A statement by its text, a literal; prepared once.
  used use(const char* sql, const char* purpose);
  /// Has anything become ready or scheduled since the last look, or a queue gone on? Also where that was
  /// undone.
  bool take_new_work() noexcept { return std::exchange(has_new_work_, false); }
  /// Jobs that have ended since the last look; also where that was undone.
  std::vector<std::int64_t> take_ended() { return std::exchange(ended_, {}); }
  /// What was done since the last request was undone: forgets what it counted, and the ids of names, which
  /// may not exist.
  void forget_request();
  /// The same for the whole turn.
  void forget_turn();

 private:
  /// What a job carries along through ready, scheduled and running.
  struct place {
    std::int64_t id = 0, queue = 0, handler = 0, priority = 0, run_at = 0;
    std::int64_t attempts = 0, backoffs = 0, crashes = 0, fence = 0, flags = 0, limit = 0;
  };
  struct held : place {
    std::int64_t owner, started;
    bool cancel_requested;
  };
  /// What only the state that a job comes to needs to know.
  struct arrival {
    moment now{};
    std::int64_t owner = 0;    ///< for running
    std::int64_t pending = 0;  ///< for blocked: jobs that it waits for
  };

  // expiry.cpp
  void set_expiry(const new_job& job);
  void move_expiry(const place& job, job_state from, job_state to);
  void expire_some(moment now);
  std::optional<moment> next_expiry();

  // unique.cpp
  std::optional<job_id> take_key(job_id id, const unique_key& key, moment now);
  void release_key(const place& job, job_state to, moment now);
  void take_key_again(std::int64_t id, moment now);
  void give_key_up(std::int64_t id);
  void forget_key_of(std::int64_t id, moment before);
  void forget_keys(moment before, std::size_t limit);

  // limits.cpp
  /// Jobs of one queue and closure.
  struct group {
    std::int64_t queue = 0, handler = 0;
  };
  struct room_in_limit {
    std::int64_t places = 0;
    token_bucket tokens;
  };
  using room_left = std::unordered_map<std::int64_t, std::int64_t>;
  /// Of the limit that a job is pushed with.
  std::int64_t limit_id(const limit_options& limit, moment now);
  std::int64_t put_limit(const limit_options& limit, std::int64_t more_jobs, bool pinned, moment now);
  std::int64_t free_limit_id(std::string_view key);
  std::string name_of_limit(std::int64_t id);
  room_in_limit room_of(std::int64_t limit, moment now);
  void set_tokens(std::int64_t limit, const token_bucket& tokens);
  bool take_room(std::int64_t limit, moment now, room_left& known);
  void count_limit(const place& job, job_state from, job_state to, moment now);
  void give_token_back(const held& job, moment now);
  void top_up(std::int64_t limit, moment now);
  void top_up_groups(std::int64_t limit, std::int64_t room, moment now);
  void wake_limit(std::int64_t limit, std::optional<moment> at);
  void wake_limits(moment now);
  std::optional<moment> next_token(moment now);
  std::optional<group> next_blocked(std::int64_t limit, const group& after);
  std::int64_t count_ready(std::int64_t limit, const group& of, std::int64_t most);
  std::vector<place> read_blocked(std::int64_t limit, const group& of, std::int64_t count);
  void forget_limit_of(std::int64_t job);
  /// All that is kept of it. Its unique key goes where it was to be kept up to that moment.
  void delete_ended(std::int64_t id, moment now, moment keys_until);
  void forget_limits(moment now, std::size_t count);

  // dependencies.cpp
  std::int64_t add_dependencies(const new_job& job);
  void add_dependent(job_id id, job_id child);
  void mark_parent(std::int64_t id, job_state state);
  void release_children(const place& parent, job_state to, moment now);
  void cancel_children(std::int64_t parent, moment now);
  std::vector<job_id> parents_of(std::int64_t child);

  stored_schedule schedule_of(const used& row);
  void find_due_schedules(const claim_request& request, claim_result& result);
  void find_due_schedules(std::int64_t queue, const claim_request& request, claim_result& result);

  bool is_paused(std::int64_t queue);
  std::int64_t queue_id(std::string_view name);
  std::optional<std::int64_t> find_queue(std::string_view name);
  std::int64_t handler_id(std::string_view identity);
  std::string name_of_queue(std::int64_t id);
  std::string identity_of(std::int64_t handler);

  // moves.cpp
  static place place_of(const used& row);
  static held held_of(const used& row);
  static statement& bind_place(const used& row, const place& job);
  void move(const place& job, job_state from, job_event what, const arrival& at);
  void leave(const place& job, job_state from);
  void enter(const place& job, job_state to, const arrival& at);
  void put_waiting(const char* insert, const char* purpose, const place& job);
  void put_blocked(const place& job, const arrival& at);
  void put_running(const place& job, const arrival& at);
  void put_ended(const char* insert, const char* purpose, const place& job, job_state state, moment now);

  void put_attempt(const place& job, std::int64_t owner, const stored_attempt& attempt);

  void promote(const claim_request& request);
  std::optional<moment> next_due(moment now);
  /// Closures of ready jobs that the worker knows; the jobs of others are counted in `result`.
  std::vector<std::int64_t> routable_handlers(std::int64_t queue, const claim_request& request,
                                              claim_result& result);
  /// Who has the next turn in a queue.
  struct next_turn {
    place job;
    bool is_alone =
        false;  ///< no other limit has ready jobs of that priority, and this one had the last turn
  };
  std::optional<place> first_ready(std::int64_t queue, std::int64_t handler);
  std::optional<place> next_ready(const place& first, std::int64_t turn);
  std::vector<place> read_line(const place& first, std::span<const std::int64_t> handlers, std::size_t count);
  std::optional<next_turn> next_in_turn(std::int64_t queue, std::span<const std::int64_t> handlers,
                                        std::int64_t turn);
  std::int64_t last_turn(std::int64_t queue);
  void set_last_turn(std::int64_t queue, std::int64_t turn);
  void claim_from(std::int64_t queue, const claim_request& request, room_left& room, claim_result& result);
  void take_over(place& job, const claim_request& request, claim_result& result);

  std::optional<held> find_running(std::int64_t id);
  std::optional<place> find_waiting(std::int64_t id, job_state in);
  struct ended_job {
    std::int64_t queue = 0;
    job_state state{};
  };
  std::optional<ended_job> find_ended(std::int64_t id);
  std::optional<place> find_in(const char* select, const char* purpose, std::int64_t id);
  std::vector<held> held_by(std::int64_t owner);

  void put_tags(const new_job& job, job_state state);
  void move_tags(std::int64_t id, job_state to);

  /// Which jobs are counted together; those that have ended whatever their handler, which is 0 then.
  struct count_key {
    std::int64_t queue = 0, state = 0, handler = 0;
    auto operator<=>(const count_key&) const = default;
  };
  using job_counts = std::map<count_key, std::int64_t>;
  void count(std::int64_t queue, job_state state, std::int64_t handler, std::int64_t by);
  void store_counts(job_counts& counts);

  // Queue 0 is all queues; newest first, older than `before`.
  std::vector<std::int64_t> ids_in(job_state state, std::int64_t queue, std::int64_t before,
                                   std::size_t limit);
  std::vector<std::int64_t> ids_of_ready(std::int64_t before, std::size_t limit);
  std::vector<std::int64_t> ids_merged(bool with_done, std::int64_t queue, std::int64_t before,
                                       std::size_t limit);
  std::vector<std::int64_t> ids_of_all(std::int64_t queue, std::int64_t before, std::size_t limit);
  std::vector<std::int64_t> ids_tagged(const list_filter& filter, std::int64_t queue, std::int64_t before,
                                       std::size_t limit);
  std::vector<std::int64_t> ids_tagged(std::string_view tag, job_state state, std::int64_t queue,
                                       std::int64_t before, std::size_t limit);
  void add_listed(stored_job job, std::vector<stored_job>& to);
  bool fill_row(stored_job& job);
  bool fill_state(stored_job& job);
  void fill_details(stored_job& job);
  std::vector<std::string> tags_of(std::int64_t id);
  std::vector<stored_attempt> past_of(std::int64_t id);

  connection& connection_;
  bool has_new_work_ = false;
  bool claim_found_jobs_ = false;  // the last one
  std::vector<std::int64_t> ended_;
  job_counts request_counts_;  // not yet in turn_counts_
  job_counts turn_counts_;     // not yet in weft_count
  std::unordered_map<const char*, statement> statements_;
  std::map<std::string, std::int64_t, std::less<>> queues_;
  std::map<std::string, std::int64_t, std::less<>> handlers_;
  std::unordered_map<std::int64_t, std::string> identities_;
  std::unordered_map<std::int64_t, std::string> queue_names_;
};

}  // namespace weft::inline v1::jobs::sqlite
