#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <weft/jobs/store.hpp>

// What a store is for who uses it, as simple as it can be said: the other side of the test of random
// operations. It knows nothing of the stores' own table of states.

namespace weft::jobs {

/// What one step of a random run does. `pick` chooses among what is there, `amount` how, so that a run is
/// still one when steps of it are left out.
struct random_step {
  enum class kind : unsigned char {
    push,
    claim,
    finish,
    cancel,
    retry,
    purge,
    rescue,
    remove_worker,
    wait,
    pause,
    progress,
    add_worker,
    remove,
    set_limit,
    release_limit
  };
  kind what = kind::push;
  unsigned pick = 0;
  unsigned amount = 0;
};
std::string to_string(const random_step& step);
/// A run; the same seed gives the same.
std::vector<random_step> random_steps(unsigned seed, std::size_t count);

class store_model {
 public:
  struct model_job {
    std::string queue;
    std::string handler;
    int priority = 0;
    std::int64_t run_at = 0;
    job_state state = job_state::ready;
    std::optional<std::int64_t> finished;
    int attempts = 0;
    int backoffs = 0;
    int crashes = 0;
    std::int64_t fence = 0;
    std::int64_t owner = 0;
    std::int64_t started = 0;
    bool cancel_requested = false;
    std::vector<attempt_outcome> past;
    std::optional<std::string> result;
    std::optional<job_progress> progress;
    std::string limit;
    std::optional<std::int64_t> expires;
    std::map<std::int64_t, bool> waits_for;  ///< id -> its end is enough
  };

  /// Takes the step here and in `with`; what differs, also in anything that can be seen afterwards.
  std::optional<std::string> step(store& with, const random_step& one);
  /// Only takes it: what the store throws passes, and leaves this model half way.
  void apply(store& with, const random_step& one);
  /// What differs, in answers so far or in anything that can be seen now.
  std::optional<std::string> difference(store& with);

 private:
  void push(store& with, const random_step& one);
  void claim(store& with, const random_step& one);
  void finish(store& with, const random_step& one);
  void cancel(store& with, const random_step& one);
  void retry(store& with, const random_step& one);
  void purge(store& with);
  void remove(store& with, const random_step& one);
  void progress(store& with, const random_step& one);
  void pause(store& with, const random_step& one);
  void add_worker(store& with, const random_step& one);
  void lose_worker(store& with, const random_step& one);
  void set_limit(store& with, const random_step& one);
  void release_limit(store& with, const random_step& one);

  /// The hold of a job on its unique key, also after the job.
  struct hold {
    std::int64_t job = 0;
    unique_key of;
    bool by_job = true;
  };
  /// How many may run, and the time, in ns, until the tokens that were taken are there again.
  struct model_limit {
    int max = 1;
    std::int64_t interval = 0;  ///< between two tokens; 0: any number
    std::int64_t burst = 1;
    std::int64_t missing = 0;
    std::int64_t missing_at = 0;
    std::optional<std::int64_t> wake_at;
    bool pinned = false;
  };
  void give_unique_key(new_job& job, const random_step& one) const;
  std::optional<std::int64_t> holder_of(const std::string& key) const;
  void free_key(std::int64_t job, bool ended);

  std::optional<std::int64_t> take_next(const std::string& queue, const claim_request& request);
  std::size_t unroutable_in(const std::string& queue, const claim_request& request) const;
  static limit_options limit_of(const random_step& one);
  void change_limit(const limit_options& to);
  void give_dependencies(new_job& job, const random_step& one) const;
  std::int64_t missing_in(const model_limit& limit) const;
  std::int64_t tokens_in(const model_limit& limit) const;
  std::int64_t places_in(const std::string& limit) const;
  std::int64_t room_of(const std::string& limit) const;
  void take_token(const std::string& limit);
  void give_token_back(const model_job& job);
  std::optional<moment> next_due() const;
  void top_up(const std::string& limit);
  void tell_children(std::int64_t id);
  void expire();
  void fall_due();
  void end(std::int64_t id, job_state state);
  void wait_again(model_job& job, std::int64_t run_at);
  std::optional<std::int64_t> pick(const random_step& one) const;
  moment now() const { return moment(std::chrono::microseconds(now_)); }

  void compare(store& with);
  void compare_job(store& with, std::int64_t id, const model_job& job);
  void compare_stats(store& with);
  void compare_workers(store& with);
  void compare_limits(store& with);
  void expect(bool same, const std::string& what);

  std::map<std::int64_t, model_job> jobs_;
  std::set<std::int64_t> gone_;
  std::vector<hold> holds_;
  std::map<std::string, model_limit> limits_;
  std::map<std::string, std::int64_t> turns_;  ///< of queues: the key that had the last one
  std::set<std::string> paused_;
  std::set<std::int64_t> workers_;
  std::int64_t last_id_ = 0;
  std::int64_t now_ = 1000;
  std::optional<std::string> found_;
};

}  // namespace weft::jobs
