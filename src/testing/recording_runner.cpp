#include "testing/recording_runner.hpp"

#include <limits>

#include <weft/jobs/control.hpp>

namespace weft::jobs {

closure_outcome recording_runner::run(const closure_request& request) {
  const job_id id = control(*request.link).id();
  const auto row = store_.find(id);
  const std::int64_t claim = row ? row->fence : 0;
  bool over = false;
  {
    const std::lock_guard lock(mutex_);
    const std::size_t place = places_.size();
    places_.emplace(std::pair(id, claim), place);
    over = place >= most_;
  }
  if (over) too_many_(request.identity);
  return within_.run(request);
}

std::size_t recording_runner::place_of(job_id id, std::int64_t claim) const {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find({id, claim});
  return found == places_.end() ? std::numeric_limits<std::size_t>::max() : found->second;
}

}  // namespace weft::jobs
