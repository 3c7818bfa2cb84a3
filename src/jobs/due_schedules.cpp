#include "jobs/due_schedules.hpp"

#include <algorithm>

namespace weft::inline v1::jobs {

void keep_longest_due(const claim_request& request, claim_result& result) {
  auto& due = result.schedules;
  std::ranges::stable_sort(due, {}, &stored_schedule::next);
  if (due.size() <= schedules_per_claim_max) return;
  due.resize(schedules_per_claim_max);
  result.next_fire = request.now;
}

}  // namespace weft::inline v1::jobs
