#include "testing/run_record.hpp"

#include <limits>

#include <weft/jobs/control.hpp>

namespace weft::inline v1::jobs {

bool run_record::add(const closure_request& request) {
  const job_id id = control(*request.link).id();
  const auto row = store_.find(id);
  const std::int64_t claim = row ? row->fence : 0;
  const std::lock_guard lock(mutex_);
  const std::size_t place = places_.size();
  places_.emplace(std::pair(id, claim), place);
  if (++counted_ <= most_) return true;
  if (!too_many_of_) too_many_of_ = request.identity;
  return false;
}

void run_record::count_anew() {
  const std::lock_guard lock(mutex_);
  counted_ = 0;
}

std::optional<std::string> run_record::too_many_of() const {
  const std::lock_guard lock(mutex_);
  return too_many_of_;
}

std::size_t run_record::place_of(job_id id, std::int64_t claim) const {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find({id, claim});
  return found == places_.end() ? std::numeric_limits<std::size_t>::max() : found->second;
}

}  // namespace weft::inline v1::jobs
