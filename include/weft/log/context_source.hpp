#pragma once

#include <vector>

#include <weft/log/record.hpp>

namespace weft::inline v1::log {

/// Adds fields to those that a record shows of the running task's context. Called for each record that is
/// made, on the task that logs; it neither logs nor waits.
using context_source = void (*)(std::vector<context_field>& into);

/// How many there may be.
inline constexpr int context_sources_max = 8;

/// Has `source` asked for each record from here on; again for the same one has no effect. For what lives
/// in the context and shows there as several fields, or in another form. Throws weft::error
/// (resource_exhausted) beyond context_sources_max. Any thread.
void add_context_source(context_source source);

}  // namespace weft::inline v1::log
