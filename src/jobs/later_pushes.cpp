#include "jobs/later_pushes.hpp"

#include <utility>

#include <weft/codec/bytes.hpp>
#include <weft/core/error.hpp>
#include <weft/jobs/queue.hpp>

namespace weft::inline v1::jobs {

void later_pushes::add(const control_push& wanted) {
  entry one;
  one.what.identity = wanted.closure;
  one.what.arguments = wanted.arguments;
  one.what.source = wanted.source;
  one.options = wanted.options;
  one.context = wanted.context;
  for (const auto& secret : wanted.secrets)
    one.what.secrets.push_back({secret.place, wire::secret_bytes(as_bytes(secret.json))});
  (void)queue_.make_job(queue_.make_id(), one.what, one.options, one.context);
  const std::lock_guard lock(mutex_);
  if (wanted_.size() >= pushes_max) {
    throw error(errc::resource_exhausted, "jobs: push \"" + wanted.closure +
                                              "\" when a job is done: it pushes " +
                                              std::to_string(pushes_max) +
                                              " already, and no more are kept; push a job that pushes more");
  }
  wanted_.push_back(std::move(one));
}

bool later_pushes::empty() const {
  const std::lock_guard lock(mutex_);
  return wanted_.empty();
}

std::vector<new_job> later_pushes::make() const {
  const std::lock_guard lock(mutex_);
  std::vector<new_job> jobs;
  for (const auto& one : wanted_)
    jobs.push_back(queue_.make_job(queue_.make_id(), one.what, one.options, one.context));
  return jobs;
}

}  // namespace weft::inline v1::jobs
