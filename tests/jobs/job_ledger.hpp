#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weft/jobs/store.hpp>

namespace weft::jobs {

/// What a store has promised, written down beside it, and what it broke of that. Not thread-safe.
class job_ledger {
 public:
  void pushed(const new_job& job);
  void acknowledged(job_id id) { jobs_.at(id).acknowledged = true; }
  /// `now` is when the claim was made, which may have been asked for earlier: rates go by the clock of who
  /// asks. `kept_in` says how jobs ended that the job waited for.
  void claimed(const claimed_job& job, const claim_request& asked, moment now, store& kept_in);
  /// What finish() said.
  void finished(const attempt_end& end, bool held);
  /// The worker's claims are nobody's any more: it left, or was taken for dead.
  void given_back(worker_id owner, bool was_lost);
  /// After all is done: what is kept is what was promised.
  void compare_with(store& kept_in);

  const std::vector<std::string>& broken() const noexcept { return broken_; }
  /// By an attempt.
  bool has_ended(job_id id) const;
  std::size_t size() const noexcept { return jobs_.size(); }
  std::size_t acknowledged_count() const;
  std::size_t claims() const noexcept { return claims_; }
  std::size_t stale() const noexcept { return stale_; }
  std::size_t lost() const noexcept { return lost_; }
  /// All of it, one line after the other.
  const std::string& history() const noexcept { return history_; }

 private:
  struct entry {
    new_job job;
    bool acknowledged = false;
    bool done = false;
    bool ended = false;  // by an attempt
    std::int64_t fence = 0;
    std::optional<std::pair<worker_id, std::int64_t>> held = {};
  };
  void note(std::string line) { history_ += std::move(line) + '\n'; }
  void expect(bool holds, job_id id, const std::string& rule);
  void check_limit(const entry& of, job_id id, moment now);
  void check_dependencies(const entry& of, job_id id, store& kept_in);

  std::map<job_id, entry> jobs_;
  std::map<std::string, std::vector<std::pair<moment, job_id>>> begun_;  // by the key of a rate
  std::vector<std::string> broken_;
  std::string history_;
  std::size_t claims_ = 0;
  std::size_t stale_ = 0;
  std::size_t lost_ = 0;
};

}  // namespace weft::jobs
