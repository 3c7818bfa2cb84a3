#pragma once

#include <chrono>
#include <string>

namespace weft::inline v1::cli {

/// "3d 4h", "5m 7s": the two greatest units.
std::string age_text(std::chrono::milliseconds age);

}  // namespace weft::inline v1::cli
