#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/fiber/scope.hpp>

namespace weft::inline v1 {

/// Every one of several alternatives failed. Its code is theirs if they agree, else errc::unknown.
class all_failed : public error {
 public:
  explicit all_failed(std::vector<std::exception_ptr> errors);
  /// In the order of the alternatives.
  const std::vector<std::exception_ptr>& errors() const noexcept { return errors_; }

 private:
  std::vector<std::exception_ptr> errors_;
};

namespace detail {

[[noreturn]] void throw_no_alternatives();
/// Those that were cancelled before they started have no error yet.
[[noreturn]] void throw_all_failed(std::vector<std::exception_ptr> errors);

/// Alternatives in one scope; the first that gives a value ends it.
template <typename Value>
class race {
 public:
  race(scope& in, std::size_t alternatives) : in_(in), errors_(alternatives) {
    if (alternatives == 0) throw_no_alternatives();
  }

  template <typename Function>
  void add(Function& function) {
    in_.go([this, place = added_++, &function] { run(place, function); });
  }

  Value outcome() {
    in_.join();
    if (!won_.load()) throw_all_failed(std::move(errors_));
    if constexpr (!std::is_void_v<Value>) return std::move(*winner_);
  }

 private:
  template <typename Function>
  void run(std::size_t place, Function& function) {
    try {
      if constexpr (std::is_void_v<Value>) {
        std::invoke(function);
        won_.store(true);
      } else {
        Value value = std::invoke(function);
        if (!won_.exchange(true)) winner_.emplace(std::move(value));
      }
    } catch (const exit_exception&) {
      throw;
    } catch (...) {
      errors_[place] = std::current_exception();
      if (pending_cancellation()) throw;
      return;
    }
    in_.cancel(cancel_reason::sibling);
  }

  scope& in_;
  std::size_t added_ = 0;
  std::atomic<bool> won_{false};
  std::optional<std::conditional_t<std::is_void_v<Value>, bool, Value>> winner_;  // the first winner's
  std::vector<std::exception_ptr> errors_;  // each alternative its own; read when all have ended
};

}  // namespace detail

/// Calls each function on a fiber of its own; gives the value of the first that returns one, after the
/// others were cancelled and have ended. An error is only thrown when all have failed: all_failed, with
/// all of them. weft::exit of one ends all. A cancellation point.
///     const auto answer = weft::first_of([&] { return ask(primary); }, [&] { return ask(replica); });
template <typename First, typename... Others>
  requires(std::invocable<First&> && (std::invocable<Others&> && ...))
auto first_of(First&& first, Others&&... others) {
  using value = std::common_type_t<std::invoke_result_t<First&>, std::invoke_result_t<Others&>...>;
  return with_scope([&](scope& in) {
    detail::race<value> race(in, 1 + sizeof...(Others));
    race.add(first);
    (race.add(others), ...);
    return race.outcome();
  });
}

/// The same for a range of functions, which is not empty: else weft::error (invalid_argument).
template <typename Range>
  requires requires(Range& range) { std::invoke(*std::begin(range)); }
auto first_of(Range&& range) {
  using value = std::decay_t<std::invoke_result_t<decltype(*std::begin(range))>>;
  return with_scope([&](scope& in) {
    detail::race<value> race(in, static_cast<std::size_t>(std::distance(std::begin(range), std::end(range))));
    for (auto& one : range) race.add(one);
    return race.outcome();
  });
}

}  // namespace weft::inline v1
