#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include <weft/jobs/store.hpp>

namespace weft::store_contract_support {

/// Takes a worker for dead, whatever it does meanwhile. Returns how many jobs it held; nothing: it is not
/// there.
inline std::optional<std::size_t> lose_worker(jobs::store& from, jobs::worker_id owner, jobs::moment now,
                                              int crashes_max) {
  for (;;) {
    const auto present = from.workers();
    const auto found = std::find_if(present.begin(), present.end(),
                                    [owner](const jobs::worker_row& one) { return one.id == owner; });
    if (found == present.end()) return std::nullopt;
    if (const auto count = from.rescue(*found, now, crashes_max)) return count;
  }
}

}  // namespace weft::store_contract_support
