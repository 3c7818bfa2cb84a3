#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/core/clock.hpp>
#include <weft/jobs/change.hpp>
#include <weft/jobs/search.hpp>
#include <weft/jobs/store.hpp>

namespace weft::inline v1::dashboard {

/// What would be changed.
struct bulk_count {
  std::int64_t jobs = 0;
  bool has_more = false;  ///< there are more than were counted in the time
  std::string token;      ///< for run(): what was counted, and nothing that came later
};
WEFT_DESCRIBE(bulk_count, jobs, has_more, token);

struct left_job {
  std::string id;
  std::string why;
};
WEFT_DESCRIBE(left_job, id, why);

/// What one call of run() did.
struct bulk_progress {
  std::int64_t changed = 0;
  std::int64_t left_count = 0;
  std::vector<left_job> left;  ///< the first ones
  bool is_over = false;        ///< else call again with the same token
};
WEFT_DESCRIBE(bulk_progress, changed, left_count, left, is_over);

/// Changes of all jobs that a filter finds: counted first, then done part by part, so that each call takes a
/// bounded time. Jobs that are pushed after the count are left alone. Thread-safe.
class bulk {
 public:
  explicit bulk(jobs::store& of) : store_(of) {}

  /// Waits for the store, for about as long as `within` says. `said` is the filter as a text, for the audit.
  bulk_count count(const std::string& owner, jobs::job_change what, const jobs::search_filter& filter,
                   std::string said, jobs::moment now, std::chrono::milliseconds within);
  /// A part of what was counted under that token by the same owner. Nothing: there is no such token (any
  /// more).
  std::optional<bulk_progress> run(const std::string& owner, std::string_view token, jobs::moment now,
                                   std::chrono::milliseconds within);
  struct confirmed {
    jobs::job_change what;
    std::string filter;  ///< as a text
  };
  /// What is run under that token; nothing: as run().
  std::optional<confirmed> find(const std::string& owner, std::string_view token);

 private:
  struct plan {
    std::string owner;
    jobs::job_change what;
    jobs::search_filter filter;
    std::string said;
    std::vector<jobs::job_state> states;  // that are left to do, in this order
    std::optional<jobs::job_id> before;   // of the first of them, what is left
    jobs::job_id newest;                  // only jobs before it were counted
    steady_time ends;
  };
  static bool go_on(plan& in, const jobs::search_page& page);
  std::string keep(plan made);
  void change(const plan& by, std::span<const jobs::stored_job> these, jobs::moment now, bulk_progress& made);

  jobs::store& store_;
  std::mutex mutex_;
  std::map<std::string, plan, std::less<>> plans_;  // guarded by mutex_
};

}  // namespace weft::inline v1::dashboard
