#include <weft/jobs/key_use.hpp>

#include <map>

#include <weft/wire/cipher.hpp>
#include <weft/wire/envelope.hpp>

#include "jobs/job_envelope.hpp"
#include "jobs/job_life.hpp"
#include "jobs/unsigned_job.hpp"

namespace weft::inline v1::jobs {
namespace {

constexpr std::size_t page = 500;

using all_uses = std::map<std::string, key_use>;

std::string signer_of(std::string_view envelope) {
  try {
    return wire::key_id_of(as_bytes(envelope));
  } catch (const error&) {
    return {};
  }
}

// Also of envelopes that cannot be verified here: their key may be in another file than that of the secrets.
void count_secrets(const std::string& envelope, all_uses& into) {
  try {
    const job_envelope job = parse_job(wire::unverified_body_of(as_bytes(envelope)));
    for (const auto& one : job.secrets) ++into[wire::cipher_key_id_of(one.sealed)].secrets;
  } catch (const error&) {  // no build that knows this form will read one
  }
}

void count_results(store& kept_in, all_uses& into) {
  list_filter filter;
  filter.state = job_state::done;
  filter.limit = page;
  for (auto jobs = kept_in.list(filter); !jobs.empty(); jobs = kept_in.list(filter)) {
    for (const auto& job : jobs) {
      const auto found = kept_in.find(job.id);
      if (found && found->result) ++into[signer_of(*found->result)].results;
    }
    filter.before = jobs.back().id;
  }
}

}  // namespace

std::vector<key_use> keys_in_use(store& kept_in) {
  all_uses uses;
  // One walk over all states, by id: a job that goes from state to state meanwhile is not missed.
  list_filter filter;
  filter.without_done = true;
  filter.limit = page;
  for (auto jobs = kept_in.list(filter); !jobs.empty(); jobs = kept_in.list(filter)) {
    for (const auto& job : jobs) {
      const auto count = [&](std::string_view envelope) {
        if (is_unsigned(envelope)) return;
        auto& use = uses[signer_of(envelope)];
        ++(is_ended(job.state) ? use.ended : use.waiting);
      };
      count(job.envelope);
      count_secrets(job.envelope, uses);
      kept_in.read_steps(job.id, count);
    }
    filter.before = jobs.back().id;
  }
  count_results(kept_in, uses);
  for (const auto& schedule : kept_in.schedules()) ++uses[signer_of(schedule.envelope)].waiting;
  std::vector<key_use> all;
  for (auto& [id, use] : uses) {
    use.id = id;
    all.push_back(std::move(use));
  }
  return all;
}

}  // namespace weft::inline v1::jobs
