#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/jobs/store.hpp>
#include <weft/wire/key_ring.hpp>

namespace weft::jobs {

/// How many stored jobs need a key: it must not be retired before these are zero.
struct key_use {
  std::string id;            ///< empty: envelopes that name no key
  std::int64_t waiting = 0;  ///< jobs signed with it that wait or run
  std::int64_t ended = 0;    ///< that are dead or quarantined, and may be retried
  std::int64_t secrets = 0;  ///< arguments of both that are encrypted with it
};
WEFT_DESCRIBE(key_use, id, waiting, ended, secrets);

/// The keys that jobs of the store need, by id. Secrets are counted for envelopes that `keys` verifies. Reads
/// all jobs that have not ended well, in pages, so it takes a while with many; what is pushed meanwhile may
/// lack. Waits for the store, and throws what it throws.
std::vector<key_use> keys_in_use(store& kept_in, const wire::key_ring& keys);

}  // namespace weft::jobs
