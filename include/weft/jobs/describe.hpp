#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weft/jobs/job_info.hpp>
#include <weft/jobs/store.hpp>
#include <weft/wire/key_ring.hpp>

namespace weft::inline v1::jobs {

/// What a store keeps of a job, for people and tools. Source, arguments, attempts_max, context, trace and
/// bounds of time are in its envelope: they are read where `keys` verifies it for `tenant`, else `problem`
/// says why not. Without keys (null) they are left out, and nothing is checked. Values of the context that
/// may be secrets are hidden, but those with a name in `shown_context`. Never throws for the sake of stored
/// bytes.
job_info describe(stored_job job, const wire::key_ring* keys = nullptr, std::string_view tenant = {},
                  std::span<const std::string> shown_context = {});

/// Of a step's result so many bytes are shown.
inline constexpr std::size_t step_bytes_shown = 2000;

/// What steps of a job have left: up to `count` behind the first `skip`. Waits for the store, and throws as
/// it does.
job_steps steps_of(store& from, job_id id, const wire::key_ring& keys, std::size_t skip = 0,
                   std::size_t count = 100);

}  // namespace weft::inline v1::jobs
