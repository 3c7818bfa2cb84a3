#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <weft/jobs/view.hpp>

namespace weft::inline v1::cli {

using jobs::time_text;

/// "in 5m 7s", "3d 4h ago", "now".
std::string relative_text(std::chrono::microseconds from_now);

/// The moment of "2026-12-24T18:00", "2026-12-24 18:00:30": what the clock shows here (TZ); with "Z" or an
/// offset as "+01:00" behind it that of UTC. Nothing for any other text, and where there is no such date or
/// time, also as clocks are put forward over it.
std::optional<std::chrono::sys_time<std::chrono::microseconds>> moment_from_text(std::string_view text);

}  // namespace weft::inline v1::cli
