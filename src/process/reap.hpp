#pragma once

#include <optional>

#include <weft/process/exit_status.hpp>

namespace weft::inline v1::process::detail {

/// Reaps the child behind `pidfd` if it has ended; nothing if it has not. The kind is unknown where another
/// has reaped it.
std::optional<exit_status> try_reap(int pidfd) noexcept;

}  // namespace weft::inline v1::process::detail
