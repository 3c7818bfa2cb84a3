#pragma once

#include <cstdint>
#include <string_view>

namespace weft::inline v1::jobs {

/// Before the turns of all keys.
inline constexpr std::int64_t before_all_turns = -1;

/// Where the key of a limit stands in the round in which keys take turns: a number of 31 bits, the same in
/// every process. 0 is that of jobs without a limit.
std::int64_t turn_of_limit(std::string_view key) noexcept;

}  // namespace weft::inline v1::jobs
