#pragma once

#include <mutex>
#include <vector>

#include <weft/closure/entry.hpp>

namespace weft::detail {

/// All registered closures, the latest first.
std::vector<closure_entry*> all_entries();

/// As identity_of, but an unnamed one without build id has an empty build id.
const closure_identity* cached_identity(closure_entry& entry);

}  // namespace weft::detail
