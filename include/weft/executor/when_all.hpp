#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <weft/executor/gather.hpp>
#include <weft/executor/then.hpp>

// Futures that wait for several: all of them.

namespace weft::inline v1 {

namespace detail {

/// Chooses the error of several: the first in input order that is no cancellation, else that of the one
/// that decided, because the others were cancelled for it.
class chosen_error {
 public:
  template <typename Value>
  void see(const future_state<Value>& of) {
    if (is_failure_ || of.peek().has_value()) return;
    error_ = of.peek().error();
    is_failure_ = !is_stop(error_);
    origin_ = of.origin();
  }
  const std::exception_ptr& error() const noexcept { return error_; }
  const std::shared_ptr<const error_origin>& origin() const noexcept { return origin_; }

 private:
  std::exception_ptr error_;
  bool is_failure_ = false;
  std::shared_ptr<const error_origin> origin_;
};

template <typename Value>
typename result<Value>::stored_type take_stored(future_state<Value>& from) {
  if constexpr (std::is_void_v<Value>) {
    from.take().value();
    return {};
  } else {
    return from.take().value();
  }
}

template <typename Value>
class all_of_range : public range_sources<Value> {
 public:
  static constexpr bool needs_all = true;
  using value = std::vector<typename result<Value>::stored_type>;
  using range_sources<Value>::range_sources;
  bool decides(std::size_t index) const noexcept { return !states_[index]->peek().has_value(); }
  result<value> outcome(std::optional<std::size_t> decider, std::shared_ptr<const error_origin>& origin) {
    chosen_error error;
    for (const auto* const one : states_) error.see(*one);
    if (decider) error.see(*states_[*decider]);
    origin = error.origin();
    if (error.error() != nullptr) return error.error();
    value values;
    values.reserve(states_.size());
    for (auto* const one : states_) values.push_back(take_stored(*one));
    return values;
  }

 private:
  using range_sources<Value>::states_;
};

template <typename... Values>
class all_of_pack : public pack_sources<Values...> {
 public:
  static constexpr bool needs_all = true;
  using value = std::tuple<typename result<Values>::stored_type...>;
  using pack_sources<Values...>::pack_sources;
  bool decides(std::size_t index) const noexcept {
    std::size_t at = 0;
    return std::apply([&](auto*... one) { return ((at++ == index && !one->peek().has_value()) || ...); },
                      states_);
  }
  result<value> outcome(std::optional<std::size_t> decider, std::shared_ptr<const error_origin>& origin) {
    chosen_error error;
    std::size_t at = 0;
    std::apply([&](auto*... one) { (error.see(*one), ...); }, states_);
    std::apply([&](auto*... one) { ((at++ == decider ? error.see(*one) : void()), ...); }, states_);
    origin = error.origin();
    if (error.error() != nullptr) return error.error();
    return std::apply([](auto*... one) { return value(take_stored(*one)...); }, states_);
  }

 private:
  using pack_sources<Values...>::states_;
};

template <typename Value>
class settled_range : public range_sources<Value> {
 public:
  static constexpr bool needs_all = true;
  using value = std::vector<result<Value>>;
  using range_sources<Value>::range_sources;
  bool decides(std::size_t) const noexcept { return false; }
  result<value> outcome(std::optional<std::size_t>, std::shared_ptr<const error_origin>&) {
    value outcomes;
    outcomes.reserve(states_.size());
    for (auto* const one : states_) outcomes.push_back(one->take());
    return outcomes;
  }

 private:
  using range_sources<Value>::states_;
};

template <typename... Values>
class settled_pack : public pack_sources<Values...> {
 public:
  static constexpr bool needs_all = true;
  using value = std::tuple<result<Values>...>;
  using pack_sources<Values...>::pack_sources;
  bool decides(std::size_t) const noexcept { return false; }
  result<value> outcome(std::optional<std::size_t>, std::shared_ptr<const error_origin>&) {
    return std::apply([](auto*... one) { return value(one->take()...); }, states_);
  }

 private:
  using pack_sources<Values...>::states_;
};

}  // namespace detail

/// The values of all, in input order (std::monostate for void). The first failure cancels the others, and all
/// have ended when this one fails, with the first error in input order that is no cancellation. None: an
/// empty vector, at once. No thread waits.
template <typename Value>
auto when_all(std::vector<future<Value>> all) -> future<std::vector<typename result<Value>::stored_type>> {
  using policy = detail::all_of_range<Value>;
  return detail::gathered_range<typename policy::value>(policy(detail::states_of(all, "when_all")), all);
}
/// The same for futures of different types; gives a tuple.
template <typename... Values>
auto when_all(future<Values>... all) -> future<std::tuple<typename result<Values>::stored_type...>> {
  using policy = detail::all_of_pack<Values...>;
  return detail::gathered_pack<typename policy::value>(
      policy(&detail::future_access::require(all, "when_all")...), false, all...);
}

/// The outcomes of all as results, in input order, when all have ended. Fails only where it is itself
/// misused; none is cancelled for another.
template <typename Value>
auto when_settled(std::vector<future<Value>> all) -> future<std::vector<result<Value>>> {
  using policy = detail::settled_range<Value>;
  return detail::gathered_range<typename policy::value>(policy(detail::states_of(all, "when_settled")), all);
}
template <typename... Values>
auto when_settled(future<Values>... all) -> future<std::tuple<result<Values>...>> {
  using policy = detail::settled_pack<Values...>;
  return detail::gathered_pack<typename policy::value>(
      policy(&detail::future_access::require(all, "when_settled")...), false, all...);
}

namespace detail {
template <typename One, typename Other, typename F>
auto attach_zip(combinators, future<One>&& one, future<Other>&& other, F&& f, std::source_location from) {
  auto on = executor_for(one);
  auto sticky = future_access::on(one);
  using both = typename all_of_pack<One, Other>::value;
  auto zipped = attach_made<then_step>(
      when_all(std::move(one), std::move(other)),
      [f = std::forward<F>(f)](both values) mutable -> decltype(auto) {
        return std::apply(f, std::move(values));
      },
      std::move(on), from);
  future_access::on(zipped) = std::move(sticky);
  return zipped;
}
}  // namespace detail

}  // namespace weft::inline v1
