#pragma once

#include <chrono>
#include <cstdint>

#include <weft/jobs/clock.hpp>

// Moments as they are stored and signed: microseconds of UTC.

namespace weft::inline v1::jobs {

constexpr std::int64_t micros(moment at) noexcept { return at.time_since_epoch().count(); }
constexpr moment moment_at(std::int64_t count) noexcept { return moment(std::chrono::microseconds(count)); }

}  // namespace weft::inline v1::jobs
