#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <weft/executor/continuation.hpp>

// How several futures become one. Users read when_all.hpp and when_any.hpp.

namespace weft::inline v1::detail {

/// The sources of a combined future, without their types: counts those that are not ready.
///
/// Which source decides is settled by decided_; who settles it cancels the others. The one who brings open_
/// to zero, or with keep_losers the decider, completes; then the sources are released. Who looks at the
/// sources holds open_ above zero. Each callback may be the last use of this.
class gather {
 protected:
  gather(future_core& self, const std::vector<future_core*>& sources, bool keep_losers);
  virtual ~gather() = default;

  /// Takes over a reference of each source. Calls complete(), maybe at once, and gives the reference to self
  /// back at the end.
  void start() noexcept;
  /// The first time only: the reason of who was first holds.
  void add_all(sources_to_cancel& to) noexcept;
  void refuse_wait_for_any(const char* what, bool needs_all);

  /// Source `index` is ready: are the others of no use any more? Called from several threads at once.
  virtual bool decides(std::size_t index) noexcept = 0;
  virtual void complete() noexcept = 0;
  std::optional<std::size_t> decided_by() const noexcept;

 private:
  struct source final : future_callback {
    gather* of = nullptr;
    future_core* core = nullptr;
    std::size_t index = 0;
    source_to_cancel to_cancel;
    void source_ready() noexcept override { of->one_ready(index); }
  };
  /// Holds open_ above zero, if it still is.
  class looking;
  void one_ready(std::size_t index) noexcept;
  void close_one() noexcept;

  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);
  future_core& self_;
  const std::size_t count_;
  const std::unique_ptr<source[]> sources_;
  const bool keep_losers_;
  std::atomic<std::size_t> open_;
  std::atomic<std::size_t> decided_{nobody};
  std::atomic<bool> is_cancelled_{false};
};

/// A combined future; `Policy` holds the typed sources.
///
/// Policy: `needs_all`, `vector<future_core*> cores()`, `bool decides(index)`, `result<Out>
/// outcome(optional<index>, origin&)`.
template <typename Out, typename Policy>
class gather_state final : public future_state<Out>, private gather {
 public:
  gather_state(Policy policy, bool keep_losers)
      : gather(*this, policy.cores(), keep_losers), policy_(std::move(policy)) {}
  /// With a reference of each source.
  void begin() noexcept { start(); }

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
  void add_sources(sources_to_cancel& to) noexcept override { add_all(to); }
  void refuse_wait_for_itself(const char* what) override { refuse_wait_for_any(what, Policy::needs_all); }

  Policy policy_;
};

/// Leaves the futures that `policy` looks at to their owners where there is no memory; else `hand_over`
/// makes them give their references up.
template <typename Out, typename Policy, typename HandOver>
future<Out> gathered(Policy policy, bool keep_losers, HandOver&& hand_over) {
  auto* const made = new gather_state<Out, Policy>(std::move(policy), keep_losers);
  future<Out> outcome = future_access::make(static_cast<future_state<Out>*>(made));
  std::forward<HandOver>(hand_over)();
  made->begin();
  return outcome;
}
/// The same of the futures of a range.
template <typename Out, typename Policy, typename Value>
future<Out> gathered_range(Policy policy, std::vector<future<Value>>& from, bool keep_losers = false) {
  return gathered<Out>(std::move(policy), keep_losers, [&] {
    for (auto& one : from) future_access::hand_over(one);
  });
}
/// The same of a pack.
template <typename Out, typename Policy, typename... Values>
future<Out> gathered_pack(Policy policy, bool keep_losers, future<Values>&... from) {
  return gathered<Out>(std::move(policy), keep_losers, [&] { (future_access::hand_over(from), ...); });
}

/// What the futures of a range refer to, which stays theirs.
template <typename Value>
std::vector<future_state<Value>*> states_of(const std::vector<future<Value>>& from, const char* what) {
  std::vector<future_state<Value>*> states;
  states.reserve(from.size());
  for (const auto& one : from) states.push_back(&future_access::require(one, what));
  return states;
}

/// What the policies of a range hold: its sources, which the gather owns.
template <typename Value>
class range_sources {
 public:
  explicit range_sources(std::vector<future_state<Value>*> states) : states_(std::move(states)) {}
  std::vector<future_core*> cores() const { return {states_.begin(), states_.end()}; }

 protected:
  std::vector<future_state<Value>*> states_;
};

/// The same of a pack.
template <typename... Values>
class pack_sources {
 public:
  explicit pack_sources(future_state<Values>*... states) : states_(states...) {}
  std::vector<future_core*> cores() const {
    return std::apply([](auto*... one) { return std::vector<future_core*>{one...}; }, states_);
  }

 protected:
  std::tuple<future_state<Values>*...> states_;
};

}  // namespace weft::inline v1::detail
