#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/core/unwinding.hpp>

// Frames for code written in callbacks: an error in a callback reaches the handler that was in force where
// the callback was made, not where it happens to be called. Fibers need none of it: there try and catch do.

namespace weft::inline v1 {

/// An error on its way through frames.
struct frame_error {
  std::exception_ptr error;
  /// The error's text, a line of dashes, then one line `FILE:LINE - NAME` for each frame, the innermost
  /// first. Of a handler that failed, the trace is that of the first error.
  std::string trace;

  /// Throws the error again.
  [[noreturn]] void rethrow() const { std::rethrow_exception(error); }
};

using frame_handler = std::function<void(const frame_error& problem)>;

namespace detail {

class frame_local_base;
struct frame_record;
using frame_pointer = std::shared_ptr<const frame_record>;

/// One line of a trace. Of long chains the frames further out are left out.
struct frame_line {
  std::string name;
  std::source_location made_at;
};

const frame_pointer& current_frame() noexcept;

}  // namespace detail

/// The frame of a callable that frame() made, for frame_options::existing_frame. Copies are the same frame.
class frame_handle {
 public:
  frame_handle() noexcept = default;
  explicit operator bool() const noexcept { return record_ != nullptr; }

 private:
  friend struct frame_environment;
  frame_handle(context inside, detail::frame_pointer record) noexcept
      : inside_(std::move(inside)), record_(std::move(record)) {}
  context inside_;
  detail::frame_pointer record_;
};

struct frame_options {
  std::string name = {};        ///< in traces
  frame_handler on_error = {};  ///< gets an error of the code and of frames made in it; may throw another one
  /// Get a value of their own in this frame.
  std::vector<detail::frame_local_base*> locals = {};
  /// Runs the code in that frame and makes no new one, as for a time-out of it; with neither on_error nor
  /// locals.
  frame_handle existing_frame = {};
};

/// What a framed callable runs in; for weft's own use.
struct frame_environment {
  /// Made where the callable is made. Throws weft::error (misuse) for options that do not go together.
  frame_environment(frame_options options, std::source_location from);

  /// Hands the error to the nearest handler in the order in which frames were made; what that throws to the
  /// next one. Throws what no handler took.
  void handle(std::exception_ptr error) const;
  frame_handle handle_of() const noexcept { return {inside, record}; }

  context inside;
  detail::frame_pointer record;
};

/// A callable that runs in a frame: in the context of where it was made, with its errors handled there. The
/// context of whoever calls it is weft::cause(). Copies share the frame. Thread-safe as far as the code in it
/// is.
template <typename Code>
class framed {
 public:
  framed(Code code, frame_options options, std::source_location from)
      : code_(std::move(code)), environment_(std::move(options), from) {}

  /// Runs the code. An error goes to the handlers; where one took it, this returns nothing: no value, or an
  /// empty optional. Where none did, and for weft::cancelled and weft::exit_exception, it is thrown to the
  /// caller.
  template <typename... Args>
  auto operator()(Args&&... args) {
    return run(detail::scope_kind::callback, std::forward<Args>(args)...);
  }
  /// The same for who makes it and calls it at once: weft::cause() stays what it was.
  auto run_at_once() { return run(detail::scope_kind::same_work); }

  /// Its frame.
  frame_handle handle() const noexcept { return environment_.handle_of(); }

 private:
  template <typename... Args>
  auto run(detail::scope_kind kind, Args&&... args) {
    using result = std::invoke_result_t<Code&, Args...>;
    std::exception_ptr failed;
    try {
      if constexpr (std::is_void_v<result>) {
        return detail::call_in(environment_.inside, kind, code_, std::forward<Args>(args)...);
      } else {
        return std::optional<std::decay_t<result>>(
            detail::call_in(environment_.inside, kind, code_, std::forward<Args>(args)...));
      }
    } catch (const unwinding&) {
      throw;
    } catch (...) {
      failed = std::current_exception();
    }
    environment_.handle(std::move(failed));
    if constexpr (!std::is_void_v<result>) return std::optional<std::decay_t<result>>();
  }

  Code code_;
  frame_environment environment_;
};

template <typename Callable>
inline constexpr bool is_framed = false;
template <typename Code>
inline constexpr bool is_framed<framed<Code>> = true;

/// A callable that runs `code` in a frame of its own, which is the child of the frame that is running here.
/// To make and to enter it costs the same however many frames are around; a frame keeps the handlers further
/// out and the last lines of the trace, no other part of its ancestors.
template <typename Code>
framed<std::decay_t<Code>> frame(Code&& code, frame_options options = {},
                                 std::source_location from = std::source_location::current()) {
  return {std::forward<Code>(code), std::move(options), from};
}

/// Runs `code` at once in a frame whose errors go to `on_error`.
template <typename Code>
auto frame_try(Code&& code, frame_handler on_error, frame_options options = {},
               std::source_location from = std::source_location::current()) {
  options.on_error = std::move(on_error);
  return frame(std::forward<Code>(code), std::move(options), from).run_at_once();
}

/// Runs `code` at once outside all frames: with no context, handler or local of the surroundings. Its errors
/// go to the caller.
template <typename Code>
decltype(auto) frame_void(Code&& code) {
  return context().run(std::forward<Code>(code));
}

/// frame_try() outside all frames.
template <typename Code>
auto frame_try_void(Code&& code, frame_handler on_error, frame_options options = {},
                    std::source_location from = std::source_location::current()) {
  return context().run(
      [&] { return frame_try(std::forward<Code>(code), std::move(on_error), std::move(options), from); });
}

/// The lines of the frames that are running here, as in frame_error::trace; empty outside a frame.
std::string frame_trace();

namespace detail {

class frame_local_base {
 public:
  frame_local_base(const frame_local_base&) = delete;
  frame_local_base& operator=(const frame_local_base&) = delete;

  /// `in` with a new value for it.
  virtual context bound_in(const context& in) const = 0;

 protected:
  frame_local_base() = default;
  ~frame_local_base() = default;
};

}  // namespace detail

/// A variable of which each frame that lists it among its `locals` has its own value, made with the frame,
/// seen and changed by all that runs in it and in frames made in it, and kept until the last of them ends.
/// Elsewhere it has one value for the program. With static storage; as thread-safe as a plain variable.
template <typename Value>
class frame_local final : public detail::frame_local_base {
 public:
  /// `of` names it as a key and needs a name only; the arguments make each value.
  explicit frame_local(const key_spec& of, Value initial = Value())
      : key_(of), initial_(std::move(initial)), outside_(initial_) {}

  /// The value in force here.
  Value& get() const noexcept {
    const auto* const found = key_.find();
    return found == nullptr ? outside_ : **found;
  }
  Value& operator*() const noexcept { return get(); }
  Value* operator->() const noexcept { return &get(); }

  context bound_in(const context& in) const override {
    return in.with(key_, std::make_shared<Value>(initial_));
  }

 private:
  key<std::shared_ptr<Value>> key_;
  const Value initial_;
  mutable Value outside_;
};

}  // namespace weft::inline v1
