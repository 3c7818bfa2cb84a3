#pragma once

namespace weft::inline v1::cli {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_config = 78;  // EX_CONFIG of sysexits.h

}  // namespace weft::inline v1::cli
