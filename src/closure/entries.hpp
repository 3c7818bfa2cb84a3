#pragma once

#include <mutex>
#include <vector>

#include <weft/closure/entry.hpp>

namespace weft::inline v1::detail {

/// All registered closures, the latest first.
std::vector<closure_entry*> all_entries();

/// The closure of that name; null if there is none. Allocates nothing.
closure_entry* find_named(std::string_view name) noexcept;

/// The unnamed closure at that place of the module with that build id; null if there is none.
/// `is_build_known` says whether some closure is of that build.
closure_entry* find_unnamed(std::string_view build_id, std::uint64_t offset, bool& is_build_known);

/// Where it is to run. A library that is loaded later may still say it of one that did not.
run_place place_to_run(const closure_entry& entry) noexcept;

/// As identity_of, but an unnamed one without build id has an empty build id.
const closure_identity* cached_identity(closure_entry& entry);

}  // namespace weft::inline v1::detail
