#pragma once

#include <weft/trace/ids.hpp>

namespace weft::inline v1::trace::detail {

/// New ones, never zero: random in a real run; in a simulation the same ones in each replay.
trace_id new_trace_id() noexcept;
span_id new_span_id() noexcept;

/// The last 7 bytes of a trace id as a number from 0 to below 1: random, and the same wherever one looks.
double sample_point(const trace_id& of) noexcept;

}  // namespace weft::inline v1::trace::detail
