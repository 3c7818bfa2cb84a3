#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/postgres/line_slices.hpp"

namespace weft::inline v1::jobs::postgres {

/// Where the claims of one store begin to look.
///
/// A job that was claimed leaves an entry in the index of its line (queue, closure, priority), which every
/// look from the beginning of the line passes over until the server has cleaned it away; and as long as any
/// older transaction is open, it cannot. So a claim begins at the last job that this store was given from the
/// line. What came in behind that place (a push that took long to commit, jobs that others gave back) is
/// found in one of two ways.
///
/// While little is passed over: by a *whole* look, from the beginning, where this store has put jobs back
/// itself, and where the worker's last claim, or this one, came back with fewer jobs than it asked for; so a
/// worker with nothing to do leaves nothing unseen.
///
/// While it is much: by rounds over *slices* of it, each about a millisecond's reading (line_slices). A round
/// ends with a look at all that is *due*: jobs that have expired, or that a moment has come for. Only lines
/// whose jobs a claim would have taken first are sliced: no slice gives a job before those of a more urgent
/// line.
///
/// A slice that gave as many jobs as were asked for is gone on with at every second claim; in between, one
/// from the marks on sees what is more urgent. So many jobs that come in behind at once are not left to the
/// next rounds.
///
/// Between two others of those looks of a worker is 20 times as long as the last one took, of which 250 ms
/// count at most: they take no more than a twentieth of the time, and a worker with nothing to do comes back
/// for the next one.
///
/// So jobs are claimed in the order of their places, but for those that came in behind by another store or by
/// a transaction of the user: these are claimed late by 20 times what it takes to read all that is passed
/// over. That is some 50 ms, and a few seconds where a transaction that stays open keeps a million dead
/// entries; then also those that this store has put back.
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
  using place = line_place;
  /// A part of the lines of a closure: from a place at a priority on, up to another priority.
  struct stretch {
    std::int64_t queue = 0;  // which of those that are claimed from, from 1
    std::int64_t handler = 0;
    std::int64_t priority = 0;
    place from;
    std::int64_t below = 0;
  };
  /// Where a claim is to look.
  struct look {
    enum class kind { marks, slice, due, whole };
    kind of = kind::marks;
    line in = {};  // of the slice
    line_slices::slice part = {};
    bool passed_over = false;  // lines that it did not come to, as more urgent ones have jobs
  };
  /// The last job that a claim was given, and the queues that it had looked at before that one's.
  struct reach {
    std::vector<std::string> before;
    std::string queue;
    std::int64_t priority = 0;
  };
  struct answer {
    std::vector<std::pair<line, place>> taken;  // in their order
    bool is_full = false;                       // there may be more
    reach up_to;                                // if it is full
    std::optional<std::int64_t> promoted;       // what was due has become ready, from that run_at on
    std::optional<std::int64_t> seen_to;        // what is due up to then was seen to
    std::int64_t pages = 0;                     // not of a look from the marks on
    bool has_all = false;                       // expires and unroutable are told
    std::optional<moment> expires;              // the next waiting job does
    std::size_t unroutable = 0;
  };

  /// A claim that is asked for.
  class question {
   public:
    question(claim_marks& of, worker_id owner, look how, steady_time begun = steady_clock::now());
    question(const question&) = delete;
    question& operator=(const question&) = delete;
    ~question();
    void answered(const answer& told);
    /// Of one that has to be asked again: what it has promoted is ready all the same.
    void promoted(const answer& told);

   private:
    claim_marks& of_;
    worker_id owner_;
    look how_;
    steady_time begun_;
    std::uint64_t changes_;
  };

  /// Where the next claim of that worker looks. After a slice comes a look from the marks on.
  look next_look(worker_id owner, std::span<const std::string> queues,
                 const std::function<bool(std::int64_t handler)>& is_routable) const;
  /// After one that did not look at all, and found too little: when the next such look may be; now or before:
  /// at once, a whole one.
  steady_time next_time(worker_id owner) const;
  /// Up to when what was due was seen to, if that is known.
  std::optional<std::int64_t> since() const noexcept { return since_; }
  /// Is little passed over?
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
  struct passed_line {
    place mark;
    line_slices slices = {};
  };
  struct looker {
    steady_time ended{};  // the last look that was not from the marks on
    steady_time::duration took{};
    bool is_cheap = true;
    bool was_full = false;  // the last claim from the marks on, or whole
    reach up_to;            // of the same
    std::uint64_t changes = 0;
    std::optional<moment> expires;
    std::size_t unroutable = 0;
    // The round over slices: where the next one begins, and what it has read so far.
    line in;
    place from;
    std::int64_t pages = 0;
    bool is_part = false;    // it has left lines out
    bool goes_on = false;    // the last slice was full: its rest is next
    bool was_slice = false;  // the last look

    void begin_round();
    bool would_take_from(const line& one) const;
  };

  void lower(const line& in, place at);

  std::map<line, passed_line> marks_;
  std::optional<std::int64_t> since_;
  std::map<worker_id, looker> lookers_;
  std::uint64_t changes_ = 0;
  // Since the question was asked: its answer may not know of them.
  bool is_asked_ = false;
  std::map<line, place> came_;
  std::int64_t comes_ = INT64_MAX;
};

}  // namespace weft::inline v1::jobs::postgres
