#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <weft/jobs/store.hpp>

// Two workers, two jobs, and all orders in which what they do, and what befalls them, can reach the store.

namespace weft::jobs {

/// What a world has: which jobs there are, and how often what nobody likes may happen.
struct exploration {
  std::string name;
  std::optional<unique_until> unique = {};  ///< both jobs have one key
  int limit = 0;                            ///< of both jobs together; 0: none
  bool second_after_first = false;          ///< the second job waits for the end of the first
  int starts_max = 1;                       ///< processes in the place of each worker, one after the other
  int crashes_left = 1;
  int false_alarms_left = 0;  ///< a worker that lives is taken for dead
  int cancels_left = 0;
  int retries_left = 0;
  int agains_left = 0;  ///< attempts after which a job is to be tried again
};

enum class life_step : unsigned char {
  push,     ///< of job `who`
  start,    ///< a process in the place of worker `who`
  claim,    ///< by worker `who`, one job
  succeed,  ///< worker `who` ends its attempt
  fail,     ///< the same, and it is the last attempt; only where it may be retried
  again,    ///< the same, and the job is to be tried again
  beat,     ///< of worker `who`
  crash,    ///< of worker `who`; its row stays
  leave,    ///< of worker `who`, in order
  sight,    ///< somebody takes row `who` for that of a dead worker
  rescue,   ///< of row `who`, as it was seen
  cancel,   ///< of job `who`
  retry,    ///< of job `who`
};

struct life_action {
  life_step what = life_step::push;
  std::size_t who = 0;
};
std::string to_string(const life_action& action);

/// The store, the processes around it, and what must be true of them: who holds which job, said without
/// the store's own table of states.
class life_world {
 public:
  explicit life_world(const exploration& rules);

  std::vector<life_action> possible() const;
  /// Takes one step; throws std::logic_error where the store answers as it must not.
  void take(const life_action& action);
  /// Throws std::logic_error where the store is not as it must be; returns what tells this state from others.
  std::string look();
  /// No more faults: what lives goes on, the dead are taken over. Throws std::logic_error unless all jobs
  /// end, and their key and their limit are free again.
  void settle();

 private:
  static constexpr std::size_t count = 2;

  struct attempt {
    std::size_t job = 0;
    std::int64_t fence = 0;
  };
  struct process {
    bool alive = false;
    int starts = 0;
    worker_id id{};
    std::optional<attempt> runs;
  };
  enum class phase : unsigned char { absent, waits, runs, ended };
  struct job_truth {
    phase at = phase::absent;
    std::optional<worker_id> holder;
    std::int64_t fence = 0;
    int done = 0;  // ends that were taken as success
    bool was_claimed = false;
    bool to_end = false;  // somebody asked for it while it ran
    bool depends = false;
  };
  struct row {
    worker_id id{};
    bool there = false;
    std::int64_t beat = 0;
    std::optional<worker_row> seen = {};  // by who takes it for dead
  };

  void push(std::size_t job);
  void claim(process& by);
  void finish(process& by, next_step next);
  void join(row& of);
  void beat(process& by);
  void leave(process& by);
  void sight(row& of);
  void rescue(row& of);
  void cancel(std::size_t job);
  void retry(std::size_t job);
  void end(std::size_t job);
  void give_back(const row& of, bool crashed);
  bool key_is_held(std::size_t by) const;
  bool lives(worker_id id) const;
  row& row_of(worker_id id);
  void check(bool holds, const std::string& what) const;

  exploration rules_;
  std::shared_ptr<store> store_;
  std::array<process, count> workers_;
  std::array<job_truth, count> jobs_;
  std::vector<row> rows_;
};

/// How many states and steps there were.
struct explored {
  std::size_t states = 0;
  std::size_t steps = 0;
};
/// Walks all orders. Throws std::logic_error with the steps that led to what must not be.
explored explore(const exploration& rules);

}  // namespace weft::jobs
