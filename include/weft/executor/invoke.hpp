#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/result.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/executor/executor.hpp>
#include <weft/executor/winner.hpp>

namespace weft::inline v1 {

namespace detail {

/// The functions of one invoke_all or invoke_any, on the frame of the caller.
///
/// Each function is claimed once: by the task that was posted for it, or by the caller, who runs those that
/// nobody has begun where he is a task of the executor himself, and skips them when they are of no use any
/// more. A task that comes too late finds its function claimed and touches nothing of the call. The call
/// is over when every function has ended or was skipped. Who claims one ends it; a task does so when its
/// function is destroyed, after its context was left.
class invocation {
 public:
  invocation(const char* what, std::size_t count);
  invocation(const invocation&) = delete;
  invocation& operator=(const invocation&) = delete;
  virtual ~invocation();

  /// Runs them and waits for their end, whatever happens. Throws what the executor's post threw;
  /// weft::cancelled; weft::error (deadlock) where they could begin only after the caller.
  void run(const executor& on, std::source_location from);
  /// The function that made the others useless.
  const std::optional<std::size_t>& decided_by() const noexcept { return decided_by_; }

 protected:
  /// Function number `index`: runs it and keeps what comes of it. True: the others are of no use any more.
  virtual bool invoke(std::size_t index) noexcept = 0;

 private:
  class claims;
  class posted_call;
  void post_all(const executor& on, std::source_location from);
  void run_here();
  void run_one(std::size_t index) noexcept;
  void end_one() noexcept;
  void skip_unbegun() noexcept;
  void wait_for_all();

  const char* const what_;
  const std::size_t count_;
  const std::shared_ptr<claims> claims_;
  cancel_scope* group_ = nullptr;  // constant while functions run
  spin_lock lock_;
  std::size_t open_;                       // guarded by lock_; neither ended nor skipped
  std::optional<std::size_t> decided_by_;  // guarded by lock_ until the end
  waiter_line waiters_;                    // guarded by lock_
};

bool is_failure(const std::exception_ptr& error) noexcept;
[[noreturn]] void throw_empty_set(const char* what);
/// Some did not run, and nothing says why: the executor has dropped them.
[[noreturn]] void throw_dropped(const char* what);

/// Chooses what invoke throws among several: the first in input order that is not a cancellation.
class first_error {
 public:
  void see(const std::exception_ptr& error) {
    if (error == nullptr) return;
    if (chosen_ == nullptr || (!is_failure(chosen_) && is_failure(error))) chosen_ = error;
  }
  /// `what` has no outcome: some did not run.
  void throw_if_any(const char* what) const {
    if (chosen_ != nullptr) std::rethrow_exception(chosen_);
    if (dropped_) throw_dropped(what);
  }
  void see_dropped() noexcept { dropped_ = true; }

 private:
  std::exception_ptr chosen_;
  bool dropped_ = false;
};

template <typename Work>
using invoked = std::invoke_result_t<Work&>;
template <typename Work>
using invoked_stored = typename result<invoked<Work>>::stored_type;

/// All of one type.
template <typename Work, bool Any>
class invocation_of final : public invocation {
 public:
  invocation_of(const char* what, std::vector<Work>& works)
      : invocation(what, works.size()), works_(works), outcomes(works.size()) {}

 private:
  bool invoke(std::size_t index) noexcept override {
    auto& outcome = outcomes[index];
    outcome.emplace(result<invoked<Work>>::of([&]() -> invoked<Work> { return std::invoke(works_[index]); }));
    return outcome->has_value() == Any;
  }
  std::vector<Work>& works_;

 public:
  std::vector<std::optional<result<invoked<Work>>>> outcomes;
};

/// One of each type.
template <typename... Works>
class invocation_pack final : public invocation {
 public:
  explicit invocation_pack(std::tuple<Works&...> works)
      : invocation("invoke_all", sizeof...(Works)), works_(works) {}

 private:
  template <std::size_t Index>
  bool invoke_at() noexcept {
    auto& outcome = std::get<Index>(outcomes);
    using value = invoked<std::tuple_element_t<Index, std::tuple<Works...>>>;
    outcome.emplace(result<value>::of([&]() -> value { return std::invoke(std::get<Index>(works_)); }));
    return !outcome->has_value();
  }
  template <std::size_t... Indices>
  bool invoke_nth(std::size_t index, std::index_sequence<Indices...>) noexcept {
    bool fails = false;
    static_cast<void>(((index == Indices && ((fails = invoke_at<Indices>()), true)) || ...));
    return fails;
  }
  bool invoke(std::size_t index) noexcept override {
    return invoke_nth(index, std::index_sequence_for<Works...>());
  }
  std::tuple<Works&...> works_;

 public:
  std::tuple<std::optional<result<invoked<Works>>>...> outcomes;
};

}  // namespace detail

/// Runs all `works` on an executor and waits for them; gives their values in input order (std::monostate
/// for void). The context is captured here, for each of them.
///
/// The first error cancels the others; all have ended when it is thrown. Where several failed it is the first
/// in input order that is no cancellation. A cancelled caller cancels them and waits for their end. The
/// caller's frame may be referred to. A caller that is a task of that executor runs here what no other thread
/// has begun, so it needs no free thread, and one thread is enough. Throws also what the executor's post
/// throws.
template <typename Work>
auto invoke_all(const executor& on, std::vector<Work> works,
                std::source_location from = std::source_location::current())
    -> std::vector<detail::invoked_stored<Work>> {
  detail::invocation_of<Work, false> call("invoke_all", works);
  call.run(on, from);
  detail::first_error error;
  for (const auto& one : call.outcomes) {
    one ? error.see(one->error()) : error.see_dropped();
  }
  error.throw_if_any("invoke_all");
  std::vector<detail::invoked_stored<Work>> values;
  values.reserve(works.size());
  for (auto& one : call.outcomes) {
    if constexpr (std::is_void_v<detail::invoked<Work>>) {
      values.emplace_back();
    } else {
      values.push_back(std::move(*one).value());
    }
  }
  return values;
}

/// The same for functions of different types; gives a tuple.
template <typename First, typename... Rest>
  requires std::is_invocable_v<First&>
auto invoke_all(const executor& on, First&& first, Rest&&... rest)
    -> std::tuple<detail::invoked_stored<std::remove_reference_t<First>>,
                  detail::invoked_stored<std::remove_reference_t<Rest>>...> {
  detail::invocation_pack<std::remove_reference_t<First>, std::remove_reference_t<Rest>...> call(
      std::tie(first, rest...));
  call.run(on, std::source_location::current());
  return std::apply(
      [](auto&... outcomes) {
        detail::first_error error;
        ((outcomes ? error.see(outcomes->error()) : error.see_dropped()), ...);
        error.throw_if_any("invoke_all");
        const auto taken = [](auto& outcome) {
          using value = typename std::remove_reference_t<decltype(*outcome)>::value_type;
          if constexpr (std::is_void_v<value>) {
            return std::monostate();
          } else {
            return std::move(*outcome).value();
          }
        };
        return std::tuple<detail::invoked_stored<std::remove_reference_t<First>>,
                          detail::invoked_stored<std::remove_reference_t<Rest>>...>(taken(outcomes)...);
      },
      call.outcomes);
}

/// Runs `works` on an executor until one gives a value; that cancels the others, and all have ended when it
/// returns. Where none gives one, throws the first error in input order that is no cancellation. All the
/// rest is as with invoke_all. Throws weft::error (invalid_argument) without any.
template <typename Work>
auto invoke_any(const executor& on, std::vector<Work> works,
                std::source_location from = std::source_location::current())
    -> winner<detail::invoked<Work>> {
  if (works.empty()) detail::throw_empty_set("invoke_any");
  detail::invocation_of<Work, true> call("invoke_any", works);
  call.run(on, from);
  if (const auto index = call.decided_by()) {
    if constexpr (std::is_void_v<detail::invoked<Work>>) {
      return {.index = *index, .value = {}};
    } else {
      return {.index = *index, .value = std::move(*call.outcomes[*index]).value()};
    }
  }
  detail::first_error error;
  for (const auto& one : call.outcomes) {
    one ? error.see(one->error()) : error.see_dropped();
  }
  error.throw_if_any("invoke_any");
  detail::throw_dropped("invoke_any");
}

}  // namespace weft::inline v1
