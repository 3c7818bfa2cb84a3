#pragma once

#include <string_view>

#include <weft/jobs/job_info.hpp>
#include <weft/jobs/store.hpp>
#include <weft/wire/key_ring.hpp>

namespace weft::inline v1::jobs {

/// What a store keeps of a job, for people and tools. Source, arguments and attempts_max are in its envelope:
/// they are read where `keys` verifies it for `tenant`, else `problem` says why not. Without keys (null)
/// they are left out, and nothing is checked. Never throws for the sake of stored bytes.
job_info describe(stored_job job, const wire::key_ring* keys = nullptr, std::string_view tenant = {});

}  // namespace weft::inline v1::jobs
