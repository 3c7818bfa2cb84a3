#include <weft/jobs/key_use.hpp>

#include <map>

#include <weft/wire/cipher.hpp>
#include <weft/wire/envelope.hpp>

#include "jobs/job_envelope.hpp"

namespace weft::jobs {
namespace {

constexpr std::size_t page = 500;

using all_uses = std::map<std::string, key_use>;

std::string signer_of(const std::string& envelope) {
  try {
    return wire::key_id_of(as_bytes(envelope));
  } catch (const error&) {
    return {};
  }
}

void count_secrets(const std::string& envelope, const wire::key_ring& keys, all_uses& into) {
  try {
    for (const auto& one : unseal(keys, envelope).secrets) ++into[wire::cipher_key_id_of(one.sealed)].secrets;
  } catch (const error&) {  // nobody will read it
  }
}

void count_state(store& kept_in, job_state state, const wire::key_ring& keys, all_uses& into) {
  const bool waits =
      state == job_state::scheduled || state == job_state::ready || state == job_state::running;
  list_filter filter{.queue = {}, .state = state, .before = {}, .limit = page};
  for (;;) {
    const auto jobs = kept_in.list(filter);
    for (const auto& job : jobs) {
      auto& use = into[signer_of(job.envelope)];
      ++(waits ? use.waiting : use.ended);
      count_secrets(job.envelope, keys, into);
    }
    if (jobs.size() < page) return;
    filter.before = jobs.back().id;
  }
}

}  // namespace

std::vector<key_use> keys_in_use(store& kept_in, const wire::key_ring& keys) {
  all_uses uses;
  for (const auto state : {job_state::scheduled, job_state::ready, job_state::running, job_state::dead,
                           job_state::quarantined}) {
    count_state(kept_in, state, keys, uses);
  }
  std::vector<key_use> all;
  for (auto& [id, use] : uses) {
    use.id = id;
    all.push_back(std::move(use));
  }
  return all;
}

}  // namespace weft::jobs
