#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/jobs/store.hpp>

namespace weft::inline v1::jobs {

/// How many stored jobs, their steps and results, and schedules need a key: it must not be retired before
/// these are zero.
struct key_use {
  std::string id;            ///< empty: envelopes that name no key
  std::int64_t waiting = 0;  ///< jobs signed with it that wait, for whatever, or run; their steps; schedules
  std::int64_t ended = 0;  ///< jobs that are dead, cancelled or quarantined, and may be retried; their steps
  std::int64_t secrets = 0;  ///< arguments of both that are encrypted with it
  std::int64_t results = 0;  ///< of jobs that are done and kept: without the key nobody can read them
};
WEFT_DESCRIBE(key_use, id, waiting, ended, secrets, results);

/// The keys that jobs, their steps and results, and schedules of the store need, by id: as the envelopes say,
/// which are not verified. Reads all jobs, in pages, so it takes a while with many; what is pushed meanwhile
/// may lack. Waits for the store, and throws what it throws.
std::vector<key_use> keys_in_use(store& kept_in);

}  // namespace weft::inline v1::jobs
