#pragma once

#include <vector>

#include <weft/jobs/pushed_closure.hpp>
#include <weft/wire/key_ring.hpp>

#include "jobs/job_envelope.hpp"

// The secret arguments of a job: encrypted one by one, each bound to its job and place, so that the other
// arguments stay readable.

namespace weft::inline v1::jobs {

/// Encrypts the secrets into the job, whose other fields are there. Throws weft::error (refused) where there
/// are secrets and no keys.
void hide_secrets(job_envelope& job, const std::vector<detail::clear_secret>& secrets,
                  const wire::key_ring* keys);

/// Puts the secrets back into the job's arguments. Throws weft::error: not_found where a key or all keys
/// lack, else as wire::decrypt.
void reveal_secrets(job_envelope& job, const wire::key_ring* keys);

}  // namespace weft::inline v1::jobs
