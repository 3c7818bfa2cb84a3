#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "jobs/run_places.hpp"
#include "jobs/worker_state.hpp"

// How a worker goes on with other options. What its loop alone uses, the queues, it takes over between two
// claims; all else is changed where it stands.

namespace weft::inline v1::jobs {

void worker::state::change(worker_changes to) {
  // First what may throw: then nothing is changed.
  auto retry = to.retry ? std::make_shared<const retry_policy>(std::move(*to.retry)) : nullptr;
  if (to.queues && to.queues->empty() && options_.weighted.empty()) to.queues->push_back(queue_.name());
  std::shared_ptr<closure_runner> former_pool;  // ends, perhaps, after the locks
  const std::lock_guard one_at_a_time(changing_);
  auto said = to.queues ? *to.queues : said_queues_;
  const auto served = queues_of(options_, said);
  std::shared_ptr<const unsigned_closures> allowed;
  if (to.unsigned_jobs) {
    check_unsigned(*to.unsigned_jobs, served, "change");
    allowed = std::make_shared<const unsigned_closures>(
        said_of_queues(std::move(*to.unsigned_jobs), *unsigned_now(), served));
  }
  if (to.place_of_queue) places_.check(*to.place_of_queue, served);
  if (to.queues) meters_.add(*to.queues);
  if (to.place_of_queue) places_.set_queues(*to.place_of_queue, served);  // the last that may throw
  if (to.concurrency) former_pool = places_.set_concurrency(std::max<std::size_t>(*to.concurrency, 1));
  said_queues_ = std::move(said);
  {
    const std::lock_guard lock(mutex_);
    if (allowed != nullptr) unsigned_ = std::move(allowed);
    if (to.concurrency) {
      slots_ = std::max<std::size_t>(*to.concurrency, 1);
      if (!options_.claim_ahead) ahead_.set_most(ahead_by_default(slots_));
    }
    if (retry != nullptr) retry_ = std::move(retry);
    if (to.stop_grace) stop_grace_ = *to.stop_grace;
    if (to.queues) {
      other_queues_ = std::move(*to.queues);
      has_other_queues_ = true;  // before the bell: the loop looks at it before it waits there
    }
  }
  changed_.ring();
  queue_.kept_in().ring();
}

bool worker::state::serves(const std::string& queue) const {
  return std::ranges::find(served_, queue) != served_.end() ||
         std::ranges::find(options_.weighted, queue, &weighted_queue::name) != options_.weighted.end();
}

void worker::state::take_other_queues() {
  if (!has_other_queues_) return;
  {
    const std::lock_guard lock(mutex_);
    served_ = std::move(other_queues_);
    has_other_queues_ = false;
  }
  give_back_what(
      [this] { return ahead_.take_if([this](const claimed_job& one) { return !serves(one.queue); }); });
  next_due_.reset();
  next_fire_.reset();
}

std::shared_ptr<const retry_policy> worker::state::retry_now() const {
  const std::lock_guard lock(mutex_);
  return retry_;
}

std::shared_ptr<const unsigned_closures> worker::state::unsigned_now() const {
  const std::lock_guard lock(mutex_);
  return unsigned_;
}

}  // namespace weft::inline v1::jobs
