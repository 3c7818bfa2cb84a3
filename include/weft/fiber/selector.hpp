#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/fiber/select_cases.hpp>

namespace weft::inline v1 {

/// A select over a number of cases that is known only when the program runs, or that is made many times.
///
///     weft::selector any;
///     for (auto& source : sources) any.add(weft::on_pop(source, [&](std::optional<int> value) { ... }));
///     const std::size_t which = any.wait();  // its function was called
///
/// Takes the same cases as weft::select, without otherwise(): try_wait() tells that none could be done. A
/// closed channel, a future that is ready, an ended fiber and an event that is set can be done every time:
/// enable(place, false) leaves them out. A case whose value or result was moved on leaves itself out: a
/// push with a value of its own, and an outcome that was handed to its function.
///
/// Thread-safety: used by one task at a time; the cases may be shared with anybody.
/// Lifetime: what the cases name outlives their last wait.
/// Cancellation, errors and cost: as weft::select; for more than 16 cases a wait allocates.
class selector {
 public:
  /// Adds a case and gives its place, counted from 0. Not from inside a case's function.
  template <typename Case>
    requires std::is_base_of_v<detail::select_case, Case>
  std::size_t add(Case one) {
    auto owned = std::make_unique<holder<Case>>(std::move(one));
    cases_.reserve(cases_.size() + 1);
    holders_.push_back(std::move(owned));
    cases_.push_back(&holders_.back()->of());
    return cases_.size() - 1;
  }
  /// Leaves the case at `place` out of waits to come, or takes it in again.
  void enable(std::size_t place, bool yes) { at(place).enable(yes); }
  bool enabled(std::size_t place) const { return at(place).enabled(); }
  std::size_t size() const noexcept { return cases_.size(); }

  /// Waits until one case is done and its function was called; gives its place.
  std::size_t wait() { return *wait_until(no_deadline); }
  /// The same; nothing when the bound passed first.
  template <typename Rep, typename Period>
  std::optional<std::size_t> wait_for(std::chrono::duration<Rep, Period> bound) {
    return wait_until(deadline_after(bound));
  }
  std::optional<std::size_t> wait_until(steady_time until);
  /// Does a case that can be done now; nothing if there is none. Never waits.
  std::optional<std::size_t> try_wait();

 private:
  class holder_base {
   public:
    virtual ~holder_base() = default;
    virtual detail::select_case& of() noexcept = 0;
    virtual void prepare() = 0;
    virtual void finish() = 0;
  };
  template <typename Case>
  class holder final : public holder_base {
   public:
    explicit holder(Case one) : case_(std::move(one)) {}
    detail::select_case& of() noexcept override { return case_; }
    void prepare() override { case_.prepare(); }
    void finish() override { case_.finish(); }

   private:
    Case case_;
  };

  detail::select_case& at(std::size_t place) const;
  void prepare();
  std::optional<std::size_t> call(std::optional<std::size_t> chosen);

  std::vector<std::unique_ptr<holder_base>> holders_;
  std::vector<detail::select_case*> cases_;
};

}  // namespace weft::inline v1
