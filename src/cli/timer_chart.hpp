#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <weft/log/record.hpp>

namespace weft::inline v1::cli {

/// Milliseconds, with one digit behind the point.
std::string ms_text(std::chrono::microseconds time);

/// The timers of a log as bars, one line each in the order of their starts, `width` columns wide:
///
///        connect |=====|
///          query       |===========|
///     __________________________________
///      times in ms 0.2  8.1         20.5
///
/// A bar too short for its ends is an X; one that still runs at the end of the log ends with >. The legend
/// has the times of starts in one line and those of ends in another; of times nearly the same, one. Empty
/// where there are no timers.
std::string timer_chart(const log::collection& from, std::size_t width);

}  // namespace weft::inline v1::cli
