#pragma once

#include <string_view>

#include <weft/jobs/job.hpp>
#include <weft/jobs/store.hpp>

namespace weft::inline v1::jobs {

/// Keys of limits have at most so many bytes.
inline constexpr std::size_t limit_key_bytes_max = 256;

/// Sets the limit of a key for all its jobs, at once and whatever pushes say of it, until release_limit().
/// Throws weft::error (invalid_argument) for what no push may say, and as the store does, for which it waits.
/// Any fiber or thread.
void set_limit(store& in, const limit_options& limit);

/// From now on pushes say again what the limit of that key is; until then it stays as it is. False: nobody
/// has set it. In PostgreSQL it is true as well where the connection broke and nobody knows whether the first
/// try was made: then it is released, if it was set. Waits and throws as set_limit().
bool release_limit(store& in, std::string_view key);

}  // namespace weft::inline v1::jobs
