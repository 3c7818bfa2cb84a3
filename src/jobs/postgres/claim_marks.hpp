#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/jobs/store.hpp>

namespace weft::inline v1::jobs::postgres {

/// Where the claims of one store begin to look.
///
/// A job that was claimed leaves an entry in the index of its line (queue, closure, priority), which every
/// look from the beginning of the line passes over until the server has cleaned it away; and as long as any
/// older transaction is open, it cannot. So a claim begins at the last job that this store was given from the
/// line. It is a *whole* look, from the beginning, which finds what came in behind that place (a push that
/// took long to commit, jobs that others gave back), where
///
/// * this store has put jobs back itself;
/// * the worker's last claim came back with fewer jobs than it asked for, or this one does, so that nothing
/// is
///   left unseen by a worker with nothing to do;
/// * 20 times as long has passed as its last whole look took, of which 250 ms count at most.
///
/// After a whole look that read many pages, the last of these alone counts: but for longer ones, they take no
/// more than a twentieth of the time, and a worker with nothing to do comes back for it.
///
/// So jobs are claimed in the order of their places, but for those that came in behind by another store or by
/// a transaction of the user: these are claimed late by 20 times what a whole look takes, at most. That is
/// some 50 ms, and up to 5 s where a transaction that stays open keeps hundreds of thousands of dead entries;
/// then also those that this store has put back.
///
/// Lines with a limit have no marks. One loop, any of its fibers; one question at a time.
class claim_marks {
 public:
  struct line {
    std::string queue;
    std::int64_t handler = 0;
    std::int64_t priority = 0;
    auto operator<=>(const line&) const = default;
  };
  /// Of a job in its line.
  struct place {
    std::int64_t run_at = INT64_MIN;
    std::int64_t id = INT64_MIN;
    auto operator<=>(const place&) const = default;
  };
  /// A part of the lines of a closure: from a place at a priority on, up to another priority.
  struct stretch {
    std::int64_t queue = 0;  // which of those that are claimed from, from 1
    std::int64_t handler = 0;
    std::int64_t priority = 0;
    place from;
    std::int64_t below = 0;
  };
  struct answer {
    std::vector<std::pair<line, place>> taken;  // in their order
    bool is_full = false;                       // there may be more
    bool promoted = false;                      // what was due has become ready
    std::optional<std::int64_t> seen_to;        // what is due up to then was seen to
    std::int64_t pages = 0;                     // of a whole look
    bool has_all = false;                       // expires and unroutable are told
    std::optional<moment> expires;              // the next waiting job does
    std::size_t unroutable = 0;
  };

  /// A claim that is asked for.
  class question {
   public:
    question(claim_marks& of, worker_id owner, bool is_whole, steady_time begun = steady_clock::now());
    question(const question&) = delete;
    question& operator=(const question&) = delete;
    ~question();
    void answered(const answer& told);

   private:
    claim_marks& of_;
    worker_id owner_;
    bool is_whole_;
    steady_time begun_;
    std::uint64_t changes_;
  };

  /// Has the next claim of that worker to look from the beginning?
  bool wants_whole(worker_id owner) const;
  /// After one that did not, and found too little: when the next whole look may be; now or before: at once.
  steady_time next_whole(worker_id owner) const;
  /// Up to when what was due was seen to, if that is known.
  std::optional<std::int64_t> since() const noexcept { return since_; }
  /// Did its last whole look read few pages?
  bool is_cheap(worker_id owner) const;
  std::vector<stretch> stretches(std::span<const std::string> queues) const;
  /// What was last told.
  std::optional<moment> next_expiry(worker_id owner) const;
  std::size_t unroutable(worker_id owner) const;

  /// A job was pushed that is ready at once, or later, or expires then.
  void came(const line& in, place at);
  void comes(moment at);
  /// Jobs came back, nobody knows where to.
  void came_somewhere() noexcept { ++changes_; }
  void forget(worker_id owner) { lookers_.erase(owner); }

 private:
  struct looker {
    steady_time ended{};  // the last whole look
    steady_time::duration took{};
    bool is_cheap = true;
    bool was_full = false;  // the last claim
    std::uint64_t changes = 0;
    std::optional<moment> expires;
    std::size_t unroutable = 0;
  };

  void lower(const line& in, place at);

  std::map<line, place> marks_;
  std::optional<std::int64_t> since_;
  std::map<worker_id, looker> lookers_;
  std::uint64_t changes_ = 0;
  // Since the question was asked: its answer may not know of them.
  bool is_asked_ = false;
  std::map<line, place> came_;
  std::int64_t comes_ = INT64_MAX;
};

}  // namespace weft::inline v1::jobs::postgres
