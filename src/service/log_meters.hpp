#pragma once

namespace weft::inline v1::ops::detail {

/// Shows what the log lost in metrics::default_registry(), from the first call on: the log knows no metrics.
/// Throws weft::error as metrics::registry.
void show_log();

}  // namespace weft::inline v1::ops::detail
