#pragma once

#include <weft/process/restart_intensity.hpp>

namespace weft::inline v1::workers {

/// How many workers of a server may die by themselves, by a signal or with a status other than 0, before it
/// pauses: clients wait meanwhile. Workers that end because of what a client says do not count.
using restart_intensity = process::restart_intensity;

}  // namespace weft::inline v1::workers
