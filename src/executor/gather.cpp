#include <weft/executor/gather.hpp>

#include <utility>

#include <weft/core/error.hpp>

namespace weft::inline v1::detail {

gather::gather(future_core& self, const std::vector<future_core*>& sources, bool keep_losers)
    : self_(self),
      count_(sources.size()),
      sources_(std::make_unique<source[]>(count_)),
      keep_losers_(keep_losers),
      open_(count_ + 1) {  // one for start()
  for (std::size_t index = 0; index < count_; ++index) {
    source& one = sources_[index];
    one.of = this;
    one.core = sources[index];
    one.index = index;
    one.to_cancel = {.target = one.core, .holder = &self};
  }
}

class gather::looking {
 public:
  explicit looking(gather& at) noexcept : at_(at), open_(at.open_.load(std::memory_order_relaxed)) {
    while (open_ != 0 && !at_.open_.compare_exchange_weak(open_, open_ + 1, std::memory_order_acquire)) {
    }
  }
  looking(const looking&) = delete;
  looking& operator=(const looking&) = delete;
  ~looking() {
    if (open_ != 0) at_.close_one();
  }
  explicit operator bool() const noexcept { return open_ != 0; }

 private:
  gather& at_;
  std::size_t open_;
};

void gather::start() noexcept {
  for (std::size_t index = 0; index < count_; ++index) {
    sources_[index].core->call_when_ready(sources_[index]);
  }
  close_one();
}

void gather::one_ready(std::size_t index) noexcept {
  sources_[index].core->mark_observed();
  if (decides(index)) {
    std::size_t none = nobody;
    if (decided_.compare_exchange_strong(none, index, std::memory_order_acq_rel)) {
      if (keep_losers_) {
        complete();
      } else {
        sources_to_cancel losers;
        add_all(losers);
        losers.run(cancel_reason::sibling);
      }
    }
  }
  close_one();
}

void gather::close_one() noexcept {
  if (open_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (!keep_losers_ || !decided_by()) complete();
  // Not when this ends: that would be a recursion along a chain.
  for (std::size_t index = 0; index < count_; ++index) sources_[index].core->release();
  self_.release();
}

void gather::add_all(sources_to_cancel& to) noexcept {
  const looking sources_are_there(*this);
  if (!sources_are_there || is_cancelled_.exchange(true, std::memory_order_relaxed)) return;
  for (std::size_t index = 0; index < count_; ++index) to.add(sources_[index].to_cancel);
}

void gather::refuse_wait_for_any(const char* what, bool needs_all) {
  constexpr unsigned depth_max = 64;  // combined of combined; who nests deeper is not looked after
  static thread_local unsigned depth = 0;
  if (depth == depth_max) return;
  struct nesting {
    nesting() noexcept { ++depth; }
    nesting(const nesting&) = delete;
    nesting& operator=(const nesting&) = delete;
    ~nesting() { --depth; }
  } const one_more;
  const looking sources_are_there(*this);
  if (!sources_are_there) return;
  std::optional<error> refused;
  for (std::size_t index = 0; index < count_; ++index) {
    try {
      if (sources_[index].core->is_ready()) {
        if (!needs_all) return;
        continue;
      }
      sources_[index].core->refuse_wait(what);
      if (!needs_all) return;  // this one may come
    } catch (const error& why) {
      if (needs_all) throw;
      refused = why;
    }
  }
  if (refused) throw error(*refused);
}

std::optional<std::size_t> gather::decided_by() const noexcept {
  const std::size_t index = decided_.load(std::memory_order_acquire);
  return index == nobody ? std::nullopt : std::optional(index);
}

}  // namespace weft::inline v1::detail
