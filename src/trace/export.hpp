#pragma once

namespace weft::inline v1::trace::detail {

/// Has the children of this process find the trace and the baggage in their environment.
void export_to_children();

}  // namespace weft::inline v1::trace::detail
