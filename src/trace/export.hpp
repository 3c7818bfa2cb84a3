#pragma once

namespace weft::trace::detail {

/// Has the children of this process find the trace and the baggage in their environment.
void export_to_children();

}  // namespace weft::trace::detail
