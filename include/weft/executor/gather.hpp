#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <weft/executor/continuation.hpp>

// How several futures become one. Users read when_all.hpp and when_any.hpp.

namespace weft::detail {

/// The sources of a combined future, without their types: counts those that are not ready.
///
/// Which source decides is settled by decided_; who settles it cancels the others. The one who brings open_
/// to zero, or with keep_losers the decider, completes. Each callback may be the last use of this.
class gather {
 protected:
  gather() = default;
  virtual ~gather();

  /// Takes over the references. Calls complete(), maybe at once; ended() is the last call.
  void start(std::vector<future_core*> sources_ref, bool keep_losers);
  void cancel_all(cancel_reason reason) noexcept;
  void refuse_wait_for_any(const char* what) const;

  /// Source `index` is ready: are the others of no use any more? Called from several threads at once.
  virtual bool decides(std::size_t index) noexcept = 0;
  virtual void complete() noexcept = 0;
  virtual void ended() noexcept = 0;
  std::optional<std::size_t> decided_by() const noexcept;

 private:
  struct source_callback final : future_callback {
    gather* of = nullptr;
    std::size_t index = 0;
    void source_ready() noexcept override { of->one_ready(index); }
  };
  void one_ready(std::size_t index) noexcept;
  void close_one() noexcept;

  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);
  std::vector<future_core*> sources_;         // owned; constant after start
  std::unique_ptr<source_callback[]> calls_;  // constant after start
  bool keep_losers_ = false;                  // constant after start
  std::atomic<std::size_t> open_{0};
  std::atomic<std::size_t> decided_{nobody};
};

/// A combined future; `Policy` holds the typed sources.
///
/// Policy: `needs_all`, `vector<future_core*> cores()`, `bool decides(index)`, `result<Out>
/// outcome(optional<index>, origin&)`.
template <typename Out, typename Policy>
class gather_state final : public future_state<Out>, private gather {
 public:
  explicit gather_state(Policy policy) : policy_(std::move(policy)) {}
  void begin(bool keep_losers) { start(policy_.cores(), keep_losers); }

 private:
  bool decides(std::size_t index) noexcept override { return policy_.decides(index); }
  void complete() noexcept override {
    try {
      this->keep(policy_.outcome(decided_by(), this->origin_));
    } catch (...) {
      this->keep(std::current_exception());
    }
    this->publish();
  }
  void ended() noexcept override { this->release(); }
  future_core* cancel_step(cancel_reason reason) noexcept override {
    cancel_all(reason);
    return nullptr;
  }
  void refuse_wait_for_itself(const char* what) const override {
    if (Policy::needs_all) refuse_wait_for_any(what);
  }

  Policy policy_;
};

template <typename Out, typename Policy>
future<Out> gathered(Policy policy, bool keep_losers = false) {
  auto* const made = new gather_state<Out, Policy>(std::move(policy));
  future<Out> outcome = future_access::make(static_cast<future_state<Out>*>(made));
  made->begin(keep_losers);
  return outcome;
}

/// Takes the futures of a range.
template <typename Value>
std::vector<future_state<Value>*> take_states(std::vector<future<Value>>& from, const char* what) {
  for (auto& one : from) {
    if (!one.valid()) throw_no_state(what);
  }
  std::vector<future_state<Value>*> states;
  states.reserve(from.size());
  for (auto& one : from) states.push_back(future_access::take(one, what));
  return states;
}
template <typename Value>
std::vector<future_core*> as_cores(const std::vector<future_state<Value>*>& states) {
  return {states.begin(), states.end()};
}

}  // namespace weft::detail
