#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/failure.hpp>
#include <weft/jobs/store.hpp>

namespace weft::inline v1::jobs {

/// Which jobs search() finds; all that is said has to fit.
struct search_filter {
  std::string queue = {};                  ///< empty: all
  std::string tag = {};                    ///< empty: all
  std::optional<job_state> state = {};     ///< none: all
  std::string closure = {};                ///< part of its identity, in any case of ASCII letters
  std::string error = {};                  ///< part of the type or text of its last error, the same
  std::optional<moment> pushed_from = {};  ///< by the clock of who pushed it
  std::optional<moment> pushed_to = {};    ///< and before that one
  /// Asked of each job that all else fits; empty: all fit. By the caller of search(); it may use the store.
  std::function<bool(const stored_job& job)> fits = {};
};

/// A part of what search() finds.
struct search_page {
  std::vector<stored_job> jobs;  ///< newest first, as store::list gives them
  std::optional<job_id> next;    ///< go on with jobs before that one; nothing: there are no more
  std::size_t looked_at = 0;     ///< jobs that were read
};

/// Jobs that fit, newest first: up to `limit`, of those before `before`. What the store has no index for
/// (closure, error, fits) is looked at job by job, until `until`: then the page may be short, or empty, and
/// `next` says where to go on. So it costs a bounded time however many jobs there are. Waits for the store,
/// and throws as it does.
search_page search(store& in, const search_filter& filter, std::optional<job_id> before, std::size_t limit,
                   steady_time until);

/// What the last attempt of a job that failed has ended with; nothing where none has, or none is kept. Waits
/// for the store.
std::optional<failure> last_error_of(store& in, const stored_job& job);

/// Ids of jobs that are pushed from that moment on are not below it, as far as clocks agree.
job_id first_id_at(moment pushed) noexcept;

}  // namespace weft::inline v1::jobs
