#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/executor/async.hpp>
#include <weft/executor/gather.hpp>
#include <weft/executor/winner.hpp>

// Futures that wait for several: the first of them, or the first few.

namespace weft::inline v1 {

/// How the first of several is waited for.
struct any_options {
  /// The others go on, nobody waits for them, and their outcomes are dropped. By default they are cancelled,
  /// and have ended when the combined future is ready.
  bool keep_losers = false;
};

/// The one of several that was ready first. `Outcome` is result<Value>; for futures of different types a
/// std::variant of their results, in which the alternative has the same index.
template <typename Outcome>
struct first_ready {
  std::size_t index = 0;
  Outcome outcome;
};

/// None of several gave a value. The message has all errors.
class aggregate_error : public error {
 public:
  explicit aggregate_error(std::vector<std::exception_ptr> errors);
  /// In input order.
  const std::vector<std::exception_ptr>& errors() const noexcept { return *errors_; }

 private:
  std::shared_ptr<const std::vector<std::exception_ptr>> errors_;
};

namespace detail {

std::exception_ptr make_empty_set(const char* what);
std::exception_ptr make_aggregate_error(std::vector<std::exception_ptr> errors);

template <typename Value>
class any_of_range : public range_sources<Value> {
 public:
  static constexpr bool needs_all = false;
  using value = first_ready<result<Value>>;
  using range_sources<Value>::range_sources;
  bool decides(std::size_t) const noexcept { return true; }
  result<value> outcome(std::optional<std::size_t> index, std::shared_ptr<const error_origin>&) {
    return value{*index, states_[*index]->take()};
  }

 protected:
  using range_sources<Value>::states_;
};

template <typename... Values>
class any_of_pack : public pack_sources<Values...> {
 public:
  static constexpr bool needs_all = false;
  using outcome_type = std::variant<result<Values>...>;
  using value = first_ready<outcome_type>;
  using pack_sources<Values...>::pack_sources;
  bool decides(std::size_t) const noexcept { return true; }
  result<value> outcome(std::optional<std::size_t> index, std::shared_ptr<const error_origin>&) {
    return take_nth(*index, std::index_sequence_for<Values...>());
  }

 private:
  template <std::size_t... Indices>
  value take_nth(std::size_t index, std::index_sequence<Indices...>) {
    std::optional<value> taken;
    static_cast<void>(
        ((index == Indices && (taken.emplace(value{index, outcome_type(std::in_place_index<Indices>,
                                                                       std::get<Indices>(states_)->take())}),
                               true)) ||
         ...));
    return std::move(*taken);
  }
  using pack_sources<Values...>::states_;
};

template <typename Value>
class first_ok_of : public range_sources<Value> {
 public:
  static constexpr bool needs_all = false;
  using value = winner<Value>;
  using range_sources<Value>::range_sources;
  bool decides(std::size_t index) const noexcept { return states_[index]->peek().has_value(); }
  result<value> outcome(std::optional<std::size_t> index, std::shared_ptr<const error_origin>& origin) {
    if (!index) return all_errors(origin);
    auto taken = states_[*index]->take();
    if constexpr (std::is_void_v<Value>) {
      return value{*index, {}};
    } else {
      return value{*index, std::move(taken).value()};
    }
  }

 private:
  std::exception_ptr all_errors(std::shared_ptr<const error_origin>& origin) const {
    std::vector<std::exception_ptr> errors;
    for (const auto* const one : states_) errors.push_back(one->peek().error());
    for (const auto* const one : states_) {
      if (is_stop(one->peek().error())) continue;
      auto error = make_aggregate_error(std::move(errors));
      origin = as_origin_of(error, one->origin());
      return error;
    }
    return errors.front();  // all were cancelled
  }
  using range_sources<Value>::states_;
};

template <typename Value>
class first_n_of : public range_sources<Value> {
 public:
  static constexpr bool needs_all = false;
  using value = std::vector<first_ready<result<Value>>>;
  first_n_of(std::size_t count, std::vector<future_state<Value>*> states)
      : range_sources<Value>(std::move(states)), count_(count), order_(std::make_unique<order>(count)) {}
  bool decides(std::size_t index) const noexcept {
    const std::size_t place = order_->taken.fetch_add(1, std::memory_order_acq_rel);
    if (place >= count_) return false;
    order_->indices[place] = index;
    return order_->written.fetch_add(1, std::memory_order_acq_rel) + 1 == count_;
  }
  result<value> outcome(std::optional<std::size_t>, std::shared_ptr<const error_origin>&) {
    value outcomes;
    for (const std::size_t index : order_->indices) {
      outcomes.push_back({index, states_[index]->take()});
    }
    return outcomes;
  }

 private:
  struct order {
    explicit order(std::size_t count) : indices(count) {}
    std::vector<std::size_t> indices;
    std::atomic<std::size_t> taken{0};
    std::atomic<std::size_t> written{0};
  };
  using range_sources<Value>::states_;
  std::size_t count_;
  std::unique_ptr<order> order_;
};

template <typename Value, typename... More>
std::vector<future<Value>> as_range(future<Value> one, More... more) {
  std::vector<future<Value>> all;
  all.reserve(1 + sizeof...(more));
  all.push_back(std::move(one));
  (all.push_back(std::move(more)), ...);
  return all;
}

}  // namespace detail

/// Which future was ready first, and its outcome, be it an error. The others are cancelled and awaited. None:
/// fails with weft::error (invalid_argument).
template <typename Value>
auto when_any(std::vector<future<Value>> all, any_options options = {})
    -> future<first_ready<result<Value>>> {
  if (all.empty()) return failed<first_ready<result<Value>>>(detail::make_empty_set("when_any"));
  using policy = detail::any_of_range<Value>;
  return detail::gathered_range<typename policy::value>(policy(detail::states_of(all, "when_any")), all,
                                                        options.keep_losers);
}
template <typename... Values>
auto when_any(any_options options, future<Values>... all)
    -> future<first_ready<std::variant<result<Values>...>>> {
  static_assert(sizeof...(Values) > 0, "weft::when_any: the first of no futures never comes");
  using policy = detail::any_of_pack<Values...>;
  return detail::gathered_pack<typename policy::value>(
      policy(&detail::future_access::require(all, "when_any")...), options.keep_losers, all...);
}
template <typename... Values>
auto when_any(future<Values>... all) {
  static_assert(sizeof...(Values) > 0, "weft::when_any: the first of no futures never comes");
  return when_any(any_options{}, std::move(all)...);
}

/// The first value, and which future gave it; the others are cancelled and awaited. Without any value it
/// fails with an aggregate_error; where all were cancelled it is cancelled. None: fails with weft::error
/// (invalid_argument).
template <typename Value>
future<winner<Value>> when_first_ok(std::vector<future<Value>> all, any_options options = {}) {
  if (all.empty()) return failed<winner<Value>>(detail::make_empty_set("when_first_ok"));
  using policy = detail::first_ok_of<Value>;
  return detail::gathered_range<typename policy::value>(policy(detail::states_of(all, "when_first_ok")), all,
                                                        options.keep_losers);
}
template <typename Value, std::same_as<future<Value>>... More>
future<winner<Value>> when_first_ok(future<Value> one, More... more) {
  return when_first_ok(detail::as_range(std::move(one), std::move(more)...));
}

/// The outcomes of the `count` futures that are ready first, in that order; the others are cancelled and
/// awaited. Fails with weft::error (invalid_argument) where there are fewer.
template <typename Value>
auto when_n(std::size_t count, std::vector<future<Value>> all, any_options options = {})
    -> future<std::vector<first_ready<result<Value>>>> {
  using value = std::vector<first_ready<result<Value>>>;
  if (count > all.size()) return failed<value>(detail::make_empty_set("when_n"));
  if (count == 0) return weft::ready(value());
  using policy = detail::first_n_of<Value>;
  return detail::gathered_range<value>(policy(count, detail::states_of(all, "when_n")), all,
                                       options.keep_losers);
}

namespace detail {

/// The outcome alone, and its origin.
template <typename Value>
class race_of : public any_of_range<Value> {
 public:
  using value = Value;
  using any_of_range<Value>::any_of_range;
  result<Value> outcome(std::optional<std::size_t> index, std::shared_ptr<const error_origin>& origin) {
    origin = this->states_[*index]->take_origin();
    return this->states_[*index]->take();
  }
};

template <typename Value>
future<Value> attach_race(combinators, future<Value>&& one, future<Value>&& other) {
  auto sticky = future_access::on(one);
  auto both = as_range(std::move(one), std::move(other));
  auto first = gathered_range<Value>(race_of<Value>(states_of(both, "future::race")), both);
  future_access::on(first) = std::move(sticky);
  return first;
}

}  // namespace detail

}  // namespace weft::inline v1
