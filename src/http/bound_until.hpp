#pragma once

#include <chrono>

#include <weft/core/clock.hpp>

namespace weft::inline v1::http::detail {

/// now + `bound`; no_deadline for a bound of zero.
inline steady_time bound_until(std::chrono::milliseconds bound) {
  return bound.count() == 0 ? no_deadline : steady_clock::now() + bound;
}

}  // namespace weft::inline v1::http::detail
