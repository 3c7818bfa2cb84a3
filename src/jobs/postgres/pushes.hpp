#pragma once

#include <array>
#include <span>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/postgres/caller.hpp"
#include "jobs/postgres/names.hpp"

namespace weft::inline v1::jobs::postgres {

/// May its push wait for a transaction of somebody else's? So that it shall not hold up plain ones.
bool is_plain(const new_job& job) noexcept;

/// The statement that pushes, and its parameters.
extern const char* const push_statement;
/// The same with names in the place of numbers; and one that tells idle workers at the commit.
extern const char* const push_by_names;
extern const char* const push_by_names_and_wake;
/// `known` has the numbers of the jobs' names; null: for push_by_names. `is_short`: the transaction ends at
/// once, so it may lock limits.
parameters push_parameters(const names* known, std::span<const new_job* const> jobs, bool is_short);
/// The ids that the statement gave, in the order of the jobs.
std::vector<job_id> pushed_ids(const result& from);

/// Pushes one as a part of an open transaction, which may go on where the push fails.
template <typename Link>
job_id push_in_savepoint(Link& link, const statement& pushing) {
  const std::array steps{statement{"SAVEPOINT weft_push"}, pushing, statement{"RELEASE SAVEPOINT weft_push"}};
  try {
    return pushed_ids(link.run_all(steps)[1]).at(0);
  } catch (const error&) {
    if (link.is_open() && link.is_in_transaction()) {
      const std::array undo{statement{"ROLLBACK TO SAVEPOINT weft_push"}, steps.back()};
      link.run_all(undo);
    }
    throw;
  }
}

/// Pushes them, all or none.
std::vector<job_id> push_jobs(caller& by, names& known, std::span<const new_job* const> jobs);

/// Makes the rows of these jobs' limits, in a transaction of its own.
void know_limits(caller& by, std::span<const new_job* const> jobs);

}  // namespace weft::inline v1::jobs::postgres
