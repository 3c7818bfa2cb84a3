#include <algorithm>

#include "jobs/worker_state.hpp"

// How a worker goes on with other options. What its loop alone uses, the queues, it takes over between two
// claims; all else is changed where it stands.

namespace weft::inline v1::jobs {

void worker::state::change(worker_changes to) {
  {
    const std::lock_guard lock(mutex_);
    if (to.concurrency) {
      slots_ = std::max<std::size_t>(*to.concurrency, 1);
      if (!options_.claim_ahead) ahead_.set_most(ahead_by_default(slots_));
    }
    if (to.retry) retry_ = std::make_shared<const retry_policy>(std::move(*to.retry));
    if (to.stop_grace) stop_grace_ = *to.stop_grace;
    if (to.queues) {
      other_queues_ = std::move(*to.queues);
      if (other_queues_.empty() && options_.weighted.empty()) other_queues_ = {queue_.name()};
      has_other_queues_ = true;  // before the bell: the loop looks at it before it waits there
    }
  }
  changed_.ring();
  queue_.kept_in().ring();
}

void worker::state::take_other_queues() {
  if (!has_other_queues_) return;
  {
    const std::lock_guard lock(mutex_);
    served_ = std::move(other_queues_);
    has_other_queues_ = false;
  }
  meters_.add(served_);
  give_back_all();
  next_due_.reset();
  next_fire_.reset();
}

std::shared_ptr<const retry_policy> worker::state::retry_now() const {
  const std::lock_guard lock(mutex_);
  return retry_;
}

}  // namespace weft::inline v1::jobs
