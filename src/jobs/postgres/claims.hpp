#pragma once

#include <vector>

#include <weft/jobs/store.hpp>

#include "jobs/postgres/caller.hpp"
#include "jobs/postgres/claim_marks.hpp"
#include "jobs/postgres/names.hpp"

namespace weft::inline v1::jobs::postgres {

struct claimed {
  claim_result result;
  std::vector<job_id> expired;
  bool work = false;  ///< something has become ready
};

/// What store::claim says.
claimed claim_jobs(caller& by, names& known, claim_marks& marks, const claim_request& request);

}  // namespace weft::inline v1::jobs::postgres
