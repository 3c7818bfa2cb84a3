#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <sys/types.h>

#include <weft/core/unique_function.hpp>
#include <weft/log/logger.hpp>
#include <weft/workers/call_request.hpp>
#include <weft/workers/call_stream.hpp>
#include <weft/workers/callback.hpp>
#include <weft/workers/errors.hpp>
#include <weft/workers/running_call.hpp>

namespace weft::inline v1::workers {

namespace detail {
class checkout_core;
}

/// What may differ for one checkout.
struct checkout_options {
  std::optional<std::chrono::nanoseconds> timeout = {};  ///< instead of the pool's
  /// Gets a timer for each call, and what workers log in them, instead of the log in force; one that belongs
  /// to no collector keeps nothing.
  std::optional<log::logger> log = {};
  /// Told how far a call has got, on the task that waits for it; see caller::say_progress. While no task
  /// waits for a started call the latest notes are kept, 256 of them and 256 KiB. What it throws ends the
  /// wait, and so the call.
  std::function<void(const progress&)> on_progress = {};
};

/// The right to one worker: exclusive from the first call until the checkout and the calls begun on it end.
///
/// A call joins the pool's line if the checkout holds no worker yet; the line is served in order of
/// arrival. Several fibers and threads may call at once: in the native protocol their calls run side by side
/// in the worker, in the compatible one they take turns. After an error of the called function the checkout
/// goes on with the same worker. After the end of the worker (it died, was killed at a timeout, exited) every
/// call that runs fails, and every further one throws the same error at once. Waits suspend a fiber and block
/// a plain thread.
class checkout {
 public:
  checkout(checkout&&) noexcept;
  checkout& operator=(checkout&&) noexcept;
  ~checkout();

  /// Calls a function of the interface; the answer is decoded as `Result`. The empty name is for the function
  /// without one. A function of unknown type takes and gives wire::json_value.
  ///
  /// Throws what the function threw, as its registered type, else as remote_error (or raised_value, from a
  /// server of another kind); worker_died,
  /// call_timed_out, worker_exited, start_failed; weft::error: too_large for arguments over
  /// message_bytes_max, resource_exhausted where the line is full. Log records of the call join the
  /// caller's log. Cancelled or past the task's deadline the call is given up, and its worker
  /// killed if it does not stop at once.
  template <typename Result = void, typename... Args>
    requires(!detail::ends_with_callback<Args...>)
  Result call(std::string_view name, const Args&... args) {
    using sent = std::tuple<detail::sent_type<Args>...>;
    const sent arguments{detail::sent_type<Args>(args)...};
    return detail::decode_answer<Result>(
        exchange({false, name, &arguments, &detail::encode_arguments<sent>}));
  }

  /// The same with arguments that are known at run time only.
  template <typename Result = void>
  Result call_with(std::string_view name, const wire::json_value::list& arguments) {
    return detail::decode_answer<Result>(
        exchange({false, name, &arguments, &detail::encode_arguments<wire::json_value::list>}));
  }

  /// Runs a closure in the worker, with services made there. Errors as above; unsupported where the server
  /// is none of weft's.
  template <typename Closure>
    requires weft::detail::is_closure<Closure>
  auto call(const Closure& what) {
    const std::string identity = what.identity().text();
    return detail::decode_answer<detail::result_of<Closure>>(
        exchange({true, identity, &what, &detail::encode_closure_arguments<Closure>}));
  }

  /// Queues a call and returns at once. `callback`, the last argument, is `(checkout&, R)`, or `(checkout&)`
  /// for a call without result; its first parameter may be written `auto&`.
  ///
  /// Queued calls run one after the other, each on a fiber in the frame that is running here, after the
  /// callback of the one before. An error of a call goes to the frame of its callback (weft::frame), which is
  /// not called then, and drops the calls that are queued behind it; with `(checkout&, result<R>)` the
  /// callback gets it instead, and still the others are dropped. What nobody handles is logged. The checkout,
  /// also one whose handle is gone, keeps its worker until the queue is empty. Throws weft::error
  /// (no_scheduler) outside a run.
  template <typename... Args>
    requires detail::ends_with_callback<Args...>
  void call(std::string_view name, Args&&... args_and_callback) {
    constexpr std::size_t count = sizeof...(Args) - 1;
    auto all = std::forward_as_tuple(std::forward<Args>(args_and_callback)...);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      using sent =
          std::tuple<detail::sent_type<std::tuple_element_t<I, std::tuple<std::decay_t<Args>...>>>...>;
      queue_call(name,
                 sent{detail::sent_type<std::tuple_element_t<I, std::tuple<std::decay_t<Args>...>>>(
                     std::get<I>(std::move(all)))...},
                 std::get<count>(std::move(all)));
    }(std::make_index_sequence<count>());
  }

  /// A call of the function without a name, with or without a callback.
  template <typename... Args>
  void operator()(Args&&... args) {
    call(std::string_view(), std::forward<Args>(args)...);
  }

  /// Begins a call and returns without waiting for its answer; for calls that stream, and for many at once.
  /// Waits for a worker as call(), and where the worker takes nothing for the moment; answers that come
  /// meanwhile are kept. Started calls that run are bounded by the server's max_calls. Throws weft::error
  /// (unsupported) where only the compatible protocol is spoken, and as call().
  template <typename Result = void, typename... Args>
  running_call<Result> start(std::string_view name, const Args&... args) {
    using sent = std::tuple<detail::sent_type<Args>...>;
    const sent arguments{detail::sent_type<Args>(args)...};
    return running_call<Result>(begin({false, name, &arguments, &detail::encode_arguments<sent>}));
  }
  template <typename Closure>
    requires weft::detail::is_closure<Closure>
  auto start(const Closure& what) {
    const std::string identity = what.identity().text();
    return running_call<detail::result_of<Closure>>(
        begin({true, identity, &what, &detail::encode_closure_arguments<Closure>}));
  }

  /// Gives all up: the calls that run fail at once with this error, as does every further one, and the worker
  /// ends. What is queued is dropped; its first call's frame gets the error.
  void throw_fatal_error(std::string text);

  /// The worker held; -1 before the first call.
  pid_t worker_pid() const noexcept;

 private:
  friend class client;
  friend class detail::checkout_core;
  explicit checkout(std::shared_ptr<detail::checkout_core> core) noexcept;
  detail::call_answer exchange(const detail::call_request& request);
  std::unique_ptr<detail::started_call> begin(const detail::call_request& request);
  void queue(unique_function<void(checkout&)> one);
  void drop_queued();
  std::string frame_name(std::string_view function) const;

  template <typename Sent, typename Callback>
  void queue_call(std::string_view name, Sent arguments, Callback&& callback) {
    using value = typename detail::callback_of<std::decay_t<Callback>>::type;
    auto held =
        detail::in_frame(std::forward<Callback>(callback), frame_name(name), std::source_location::current());
    queue([name = std::string(name), arguments = std::move(arguments),
           held = std::move(held)](checkout& self) mutable {
      auto outcome = result<value>::of([&] {
        return detail::decode_answer<value>(
            self.exchange({false, name, &arguments, &detail::encode_arguments<Sent>}));
      });
      // Before the callback, or who handles the error, may queue more.
      if (!outcome) self.drop_queued();
      detail::deliver(held, self, std::move(outcome));
    });
  }

  std::shared_ptr<detail::checkout_core> core_;
};

}  // namespace weft::inline v1::workers
