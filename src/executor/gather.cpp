#include <weft/executor/gather.hpp>

#include <utility>

namespace weft::detail {

gather::~gather() {
  for (future_core* const one : sources_) one->release();
}

void gather::start(std::vector<future_core*> sources_ref, bool keep_losers) {
  sources_ = std::move(sources_ref);
  keep_losers_ = keep_losers;
  const std::size_t count = sources_.size();
  calls_ = std::make_unique<source_callback[]>(count);
  open_.store(count + 1, std::memory_order_relaxed);  // one for this call
  for (std::size_t index = 0; index < count; ++index) {
    calls_[index].of = this;
    calls_[index].index = index;
    sources_[index]->call_when_ready(calls_[index]);
  }
  close_one();
}

void gather::one_ready(std::size_t index) noexcept {
  sources_[index]->mark_observed();
  if (decides(index)) {
    std::size_t none = nobody;
    if (decided_.compare_exchange_strong(none, index, std::memory_order_acq_rel)) {
      if (keep_losers_) {
        complete();
      } else {
        cancel_all(cancel_reason::sibling);
      }
    }
  }
  close_one();
}

void gather::close_one() noexcept {
  if (open_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (!keep_losers_ || !decided_by()) complete();
  ended();
}

void gather::cancel_all(cancel_reason reason) noexcept {
  for (future_core* const one : sources_) one->cancel(reason);
}

void gather::refuse_wait_for_any(const char* what) const {
  for (const future_core* const one : sources_) {
    if (!one->is_ready()) one->refuse_wait_for_itself(what);
  }
}

std::optional<std::size_t> gather::decided_by() const noexcept {
  const std::size_t index = decided_.load(std::memory_order_acquire);
  return index == nobody ? std::nullopt : std::optional(index);
}

}  // namespace weft::detail
