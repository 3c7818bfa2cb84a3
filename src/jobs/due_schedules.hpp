#pragma once

#include <weft/jobs/store.hpp>

namespace weft::jobs {

/// How many a claim tells of; each comes with its envelope.
inline constexpr std::size_t schedules_per_claim_max = 100;

/// Sorts what is due, leaves the longest due ones, and says when to look for the others: at once.
void keep_longest_due(const claim_request& request, claim_result& result);

}  // namespace weft::jobs
