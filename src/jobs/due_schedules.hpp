#pragma once

#include <chrono>

#include <weft/jobs/store.hpp>

namespace weft::inline v1::jobs {

/// How many a claim tells of; each comes with its envelope.
inline constexpr std::size_t schedules_per_claim_max = 100;

/// Where the times of a schedule were seen to up to a moment that is later by more than this than the one at
/// which it is given anew, a clock was put back.
inline constexpr std::chrono::minutes clock_put_back_min{1};

/// Sorts what is due, leaves the longest due ones, and says when to look for the others: at once.
void keep_longest_due(const claim_request& request, claim_result& result);

}  // namespace weft::inline v1::jobs
