#pragma once

#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>

#include <weft/context/select_case.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/result.hpp>
#include <weft/executor/future.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/event_case.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/fiber_case.hpp>
#include <weft/fiber/parker_case.hpp>

// The cases of weft::select and weft::selector. A case lives as long as the select that it stands in, and
// what it names outlives it. Its function is called by the select, after it was chosen and done.

namespace weft::inline v1 {
namespace detail {

template <typename Value, typename Then>
class on_pop_case final : public pop_case<Value> {
 public:
  template <typename From>
  on_pop_case(channel<Value>& from, From&& then) : pop_case<Value>(from), then_(std::forward<From>(then)) {}

  void prepare() noexcept {
    into_.reset();
    this->aim_at(into_);
  }
  void finish() { then_(std::exchange(into_, std::nullopt)); }

 private:
  std::optional<Value> into_;
  Then then_;
};

/// `Held` is Value& or Value.
template <typename Value, typename Held, typename Then>
class on_push_case final : public push_case<Value> {
 public:
  template <typename From>
  on_push_case(channel<Value>& to, Held&& value, From&& then)
      : push_case<Value>(to), value_(std::forward<Held>(value)), then_(std::forward<From>(then)) {}

  void prepare() noexcept { this->load(value_); }
  void finish() {
    const bool pushed = this->was_pushed();
    if (!std::is_reference_v<Held> && pushed) this->enable(false);  // its value is gone
    then_(pushed);
  }

 private:
  Held value_;
  Then then_;
};

class timer_case : public select_case {
 public:
  bool seems_ready() const noexcept final { return due() <= steady_clock::now(); }
  bool try_now() noexcept final { return seems_ready(); }

 protected:
  timer_case() noexcept : select_case(nullptr, nullptr) {}
  timer_case(timer_case&&) noexcept = default;
  ~timer_case() override = default;
};

/// `When` gives the time at which it is due, anew for each select.
template <typename When, typename Then>
class on_time_case final : public timer_case {
 public:
  template <typename From>
  on_time_case(When when, From&& then) : when_(when), then_(std::forward<From>(then)) {}

  void prepare() noexcept { set_due(when_()); }
  void finish() { then_(); }

 private:
  When when_;
  Then then_;
};

template <typename Value, typename Then>
class on_ready_case final : public future_case {
 public:
  template <typename From>
  on_ready_case(future<Value>& of, From&& then)
      : future_case(of.require("select")), of_(&of), then_(std::forward<From>(then)) {}

  void prepare() const {
    if (!is_of(of_->state_)) throw_no_state("select");
  }
  void finish() {
    if constexpr (std::is_invocable_v<Then&, result<Value>>) {
      enable(false);  // the future is empty from here on
      then_(of_->take());
    } else {
      then_();
    }
  }

 private:
  future<Value>* of_;
  Then then_;
};

template <typename Value, typename Then>
class on_done_case final : public fiber_case {
 public:
  template <typename From>
  on_done_case(fiber<Value>& of, From&& then)
      : fiber_case(required(of).end()), of_(&of), then_(std::forward<From>(then)) {}

  void prepare() const {
    if (of_->block_ == nullptr || !is_of(of_->block_->end())) throw_not_joinable();
  }
  void finish() {
    of_->block_->wait_done(no_deadline);  // does not wait: only until the fiber has left its join point
    if constexpr (std::is_invocable_v<Then&, result<Value>>) {
      enable(false);  // the handle is empty from here on
      then_(of_->take());
    } else {
      then_();
    }
  }

 private:
  static fiber_block& required(fiber<Value>& of) {
    of.require();
    of.block_->require_other();
    return *of.block_;
  }

  fiber<Value>* of_;
  Then then_;
};

template <typename Then>
class on_set_case final : public event_case {
 public:
  template <typename From>
  on_set_case(event& of, From&& then) : event_case(of), then_(std::forward<From>(then)) {}

  void prepare() const noexcept {}
  void finish() { then_(); }

 private:
  Then then_;
};

template <typename Then>
class on_unpark_case final : public parker_case {
 public:
  template <typename Source, typename From>
  on_unpark_case(Source& of, From&& then) : parker_case(of), then_(std::forward<From>(then)) {}

  void prepare() const noexcept {}
  void finish() { then_(); }

 private:
  Then then_;
};

template <typename Then>
struct otherwise_case {
  Then then;
  void finish() { then(); }
};

struct fixed_time {
  steady_time at;
  steady_time operator()() const noexcept { return at; }
};
struct time_from_now {
  steady_clock::duration bound;
  steady_time operator()() const { return deadline_after(bound); }
};

}  // namespace detail

/// A pop. `then` gets the value as a std::optional, empty where the channel is closed and drained.
template <typename Value, typename Then>
auto on_pop(channel<Value>& from, Then&& then) {
  static_assert(std::is_invocable_v<std::decay_t<Then>&, std::optional<Value>>,
                "weft::on_pop: the function takes a std::optional of the channel's values; an empty one says "
                "that the channel is closed and drained");
  return detail::on_pop_case<Value, std::decay_t<Then>>(from, std::forward<Then>(then));
}

/// A push. `value` is moved from if and only if this case is chosen and the channel is open. `then` gets true
/// then, false where the channel is closed.
template <typename Value, typename Then>
auto on_push(channel<Value>& to, std::type_identity_t<Value>& value, Then&& then) {
  static_assert(
      std::is_invocable_v<std::decay_t<Then>&, bool>,
      "weft::on_push: the function takes a bool; false says that the channel is closed and the value "
      "was not pushed");
  return detail::on_push_case<Value, Value&, std::decay_t<Then>>(to, value, std::forward<Then>(then));
}
/// The same with a value that the case keeps. It ends with the case if it is not pushed; in a selector the
/// case is left out once it was.
template <typename Value, typename Then>
auto on_push(channel<Value>& to, std::type_identity_t<Value>&& value, Then&& then) {
  static_assert(
      std::is_invocable_v<std::decay_t<Then>&, bool>,
      "weft::on_push: the function takes a bool; false says that the channel is closed and the value "
      "was not pushed");
  return detail::on_push_case<Value, Value, std::decay_t<Then>>(to, std::move(value),
                                                                std::forward<Then>(then));
}

/// A time, counted from the start of the select. Zero or less: at once. Ticks are milliseconds, rounded up.
template <typename Rep, typename Period, typename Then>
auto on_timeout(std::chrono::duration<Rep, Period> bound, Then&& then) {
  static_assert(std::is_invocable_v<std::decay_t<Then>&>, "weft::on_timeout: the function takes nothing");
  using seconds = std::chrono::duration<double>;
  const bool is_long = seconds(bound) >= seconds(steady_clock::duration::max());
  const auto in_ticks =
      is_long ? steady_clock::duration::max() : std::chrono::ceil<steady_clock::duration>(bound);
  return detail::on_time_case<detail::time_from_now, std::decay_t<Then>>({in_ticks},
                                                                         std::forward<Then>(then));
}
/// A point of the monotonic clock.
template <typename Then>
auto on_time(steady_time at, Then&& then) {
  static_assert(std::is_invocable_v<std::decay_t<Then>&>, "weft::on_time: the function takes nothing");
  return detail::on_time_case<detail::fixed_time, std::decay_t<Then>>({at}, std::forward<Then>(then));
}

/// The outcome of a future. Where `then` takes a weft::result, it is taken and the future is empty then;
/// where it takes nothing, the outcome stays in the future. Throws weft::error (misuse) for an empty future.
template <typename Value, typename Then>
auto on_ready(future<Value>& of, Then&& then) {
  using held = std::decay_t<Then>;
  static_assert(std::is_invocable_v<held&> || std::is_invocable_v<held&, result<Value>>,
                "weft::on_ready: the function takes a weft::result of the future's value, or nothing");
  return detail::on_ready_case<Value, held>(of, std::forward<Then>(then));
}

/// The end of a fiber. Where `then` takes a weft::result, it is the join, and the handle is empty then; where
/// it takes nothing, join() gives the outcome without waiting. Throws weft::error (misuse) for an empty
/// handle.
template <typename Value, typename Then>
auto on_done(fiber<Value>& of, Then&& then) {
  using held = std::decay_t<Then>;
  static_assert(std::is_invocable_v<held&> || std::is_invocable_v<held&, result<Value>>,
                "weft::on_done: the function takes a weft::result of the fiber's value, or nothing");
  return detail::on_done_case<Value, held>(of, std::forward<Then>(then));
}

/// The permit of a parker, which is taken; as one task parks there, one select waits for it at a time.
template <typename Then>
auto on_unpark(parker& of, Then&& then) {
  static_assert(std::is_invocable_v<std::decay_t<Then>&>, "weft::on_unpark: the function takes nothing");
  return detail::on_unpark_case<std::decay_t<Then>>(of, std::forward<Then>(then));
}
/// A wake() of an external_waker, which is taken: something that happens on a thread that weft does not know.
template <typename Then>
auto on_wake(external_waker& of, Then&& then) {
  static_assert(std::is_invocable_v<std::decay_t<Then>&>, "weft::on_wake: the function takes nothing");
  return detail::on_unpark_case<std::decay_t<Then>>(of, std::forward<Then>(then));
}

/// An event that is set, or will be.
template <typename Then>
auto on_set(event& of, Then&& then) {
  static_assert(std::is_invocable_v<std::decay_t<Then>&>, "weft::on_set: the function takes nothing");
  return detail::on_set_case<std::decay_t<Then>>(of, std::forward<Then>(then));
}

/// What select does when it would have to wait.
template <typename Then>
auto otherwise(Then&& then) {
  static_assert(std::is_invocable_v<std::decay_t<Then>&>, "weft::otherwise: the function takes nothing");
  return detail::otherwise_case<std::decay_t<Then>>{std::forward<Then>(then)};
}

/// Leaves `one` out unless `condition` holds, as if it stood for something that never happens.
template <typename Case>
Case&& when(bool condition, Case&& one) {
  one.enable(condition);
  return std::forward<Case>(one);
}

}  // namespace weft::inline v1
