#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

#include <weft/context/cancel_state.hpp>
#include <weft/executor/executor.hpp>

// How executor::submit connects a task with its future. Users read executor.hpp.

namespace weft::inline v1::detail {

struct error_origin {
  error_origin(std::exception_ptr failed, weft::context of, std::shared_ptr<executor_core> where,
               std::string task, std::source_location submitted)
      : error(std::move(failed)),
        context(std::move(of)),
        on(std::move(where)),
        name(std::move(task)),
        from(submitted) {}
  std::exception_ptr error;
  weft::context context;              ///< of what failed
  std::shared_ptr<executor_core> on;  ///< told of it; null: the handler of the process
  std::string name;
  std::source_location from;
  mutable std::atomic<bool> is_reported{false};  ///< several futures may share it
};

/// What a future knows of the function that brings its outcome: where it runs, did it begin, how to stop it.
///
/// It begins and is stopped under lock_, so a function that was stopped before does not begin, and who stops
/// one that runs finds its scope alive.
class submission {
 public:
  /// A null `on`: whoever comes along runs it.
  submission(std::shared_ptr<executor_core> on, const task_options& options, std::source_location from);
  submission(const submission&) = delete;
  submission& operator=(const submission&) = delete;

  /// The function is about to begin, here. False: it was stopped before; then only who must run all the same
  /// begins. From here on stop() reaches it.
  bool begin() noexcept;
  void end() noexcept;
  /// Asks it to give up; the first reason holds. True for the one who came before it began.
  bool stop(cancel_reason reason) noexcept;
  std::optional<cancel_reason> stopped() const noexcept;

  /// It failed, here: the running task's context, for whom nobody else takes the error.
  std::shared_ptr<const error_origin> failed_here(const std::exception_ptr& error) const noexcept;
  /// Throws where the running task is the task, or the task waits behind it.
  void refuse_wait_by_itself(const char* what) const;

  const std::shared_ptr<executor_core>& on() const noexcept { return on_; }
  const std::string& name() const noexcept { return name_; }
  std::source_location from() const noexcept { return from_; }

 private:
  const std::shared_ptr<executor_core> on_;
  const std::string name_;
  const std::source_location from_;
  std::atomic<const running_place*> begun_at_{nullptr};  // only compared; of nobody when it is over
  mutable spin_lock lock_;
  bool begun_ = false;                    // guarded by lock_
  std::optional<cancel_reason> stopped_;  // guarded by lock_
  cancel_state* running_ = nullptr;       // guarded by lock_; of the task that runs it
};

/// The outcome of a task that will not run.
std::exception_ptr make_dropped();

/// What the future shares with the function that was posted, the function included.
template <typename Value, typename Work>
class submitted_state final : public future_state<Value> {
 public:
  template <typename From>
  submitted_state(std::shared_ptr<executor_core> on, const task_options& options, std::source_location from,
                  From&& work)
      : task_(std::move(on), options, from), work_(std::in_place, std::forward<From>(work)) {}

  void run() {
    if (!task_.begin()) return;
    this->keep(result<Value>::of([this]() -> Value { return std::invoke(*work_); }));
    if (!this->kept()->has_value()) this->origin_ = task_.failed_here(this->kept()->error());
    task_.end();
  }
  /// The posted function ends: tells the outcome, if it ran or not.
  void finish() noexcept {
    if (this->claim()) {
      work_.reset();
      if (!this->kept()) this->keep(make_dropped());
      this->publish();
    }
    this->release();
  }

 private:
  void refuse_wait_for_itself(const char* what) override { task_.refuse_wait_by_itself(what); }
  future_core* cancel_step(cancel_reason reason) noexcept override {
    if (task_.stop(reason) && this->claim()) {
      const context::attachment in_root{context()};
      work_.reset();
      this->keep(make_stopped(reason));
      this->publish();
    }
    return nullptr;
  }

  submission task_;
  std::optional<Work> work_;
};

/// The function that is posted. Its end tells the outcome: so the task's context has been left by then.
template <typename Value, typename Work>
class submitted_work {
 public:
  explicit submitted_work(submitted_state<Value, Work>* state_ref) noexcept : state_(state_ref) {}
  submitted_work(submitted_work&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  submitted_work& operator=(submitted_work&&) = delete;
  ~submitted_work() {
    if (state_ != nullptr) state_->finish();
  }
  void operator()() { state_->run(); }

  /// Once.
  future<Value> get_future() const noexcept {
    return future_access::make(static_cast<future_state<Value>*>(state_));
  }

 private:
  submitted_state<Value, Work>* state_;
};

template <typename Work>
auto submit_to(const std::shared_ptr<executor_core>& on, Work&& work, context in, task_options options,
               std::source_location from) {
  using held = std::decay_t<Work>;
  using value = std::invoke_result_t<held&>;
  submitted_work<value, held> posted(
      new submitted_state<value, held>(on, options, from, std::forward<Work>(work)));
  future<value> outcome = posted.get_future();
  on->post({std::move(posted), std::move(in), std::move(options), from});
  return outcome;
}

}  // namespace weft::inline v1::detail

namespace weft::inline v1 {

template <typename Work>
auto executor::submit(Work&& work, std::source_location from) const
    -> future<std::invoke_result_t<std::decay_t<Work>&>> {
  return detail::submit_to(core_, std::forward<Work>(work), context::capture(), {}, from);
}

template <typename Work>
auto executor::submit(Work&& work, task_options options, std::source_location from) const
    -> future<std::invoke_result_t<std::decay_t<Work>&>> {
  return detail::submit_to(core_, std::forward<Work>(work), context::capture(), std::move(options), from);
}

}  // namespace weft::inline v1
