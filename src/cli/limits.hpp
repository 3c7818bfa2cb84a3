#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/jobs/job.hpp>
#include <weft/jobs/view.hpp>

namespace weft::inline v1::cli {

/// So many are listed at most, as each counts up to limit_waits_counted_max jobs.
inline constexpr std::size_t limits_listed_max = 500;

/// What the commands of `weft limits` are asked for; docs/command-line.md says which take what.
struct limits_options {
  std::string store;  ///< URL of the database: sqlite:/path
  bool as_json = false;

  std::string after;        ///< list: behind that key, of any bytes
  std::size_t count = 100;  ///< list: so many

  std::vector<std::string> keys;           ///< set (one), release
  std::optional<int> max;                  ///< set: run at a time; none: any number
  std::optional<jobs::rate_options> rate;  ///< set: begin in a time; none: any number
  int burst = 0;                           ///< set: of these at once; 0: all of them
  bool unlimited = false;                  ///< set: say neither

  bool all = false;      ///< release: all that somebody has set
  bool yes = false;      ///< release: do not ask
  bool dry_run = false;  ///< release: say how many
};

/// What `weft limits list --json` prints: docs/command-line.md, by the rules of jobs/view.hpp.
struct shown_limits {
  int schema = jobs::view_schema;
  std::vector<jobs::shown_limit> limits;  ///< by key
  std::optional<std::string> next;        ///< for the next page, where there may be one: --next
};
WEFT_DESCRIBE(shown_limits, schema, limits, next);

// Each gives the exit status: 0; 1 where it could not be done, nobody has set a limit that is to be released,
// or the person said no; 2 for wrong usage, and where a release of all was neither confirmed nor confirmable.
// None needs keys.

int run_limits_list(const limits_options& options);
int run_limits_set(const limits_options& options);
int run_limits_release(const limits_options& options);

}  // namespace weft::inline v1::cli
