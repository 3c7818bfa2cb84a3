#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

#include <weft/executor/executor.hpp>

// How executor::submit connects a task with its future. Users read executor.hpp.

namespace weft::detail {

/// What the future of a submitted task knows of it besides its value.
class submission {
 public:
  submission(std::shared_ptr<executor_core> on, const task_options& options, std::source_location from);
  submission(const submission&) = delete;
  submission& operator=(const submission&) = delete;

  /// The task begins, here.
  void begin() noexcept { begun_at_.store(task_block::current().place, std::memory_order_release); }
  /// The task failed, here: keeps its context, for whom nobody else takes the error.
  void keep_context() noexcept { failed_in_ = context::current(); }
  /// Throws where the running task is the task, or the task waits behind it.
  void refuse_wait_by_itself(const char* what) const;
  /// Nobody looks at the error: hands it to the executor, in the failed task's context.
  void report(const std::exception_ptr& error) noexcept;

 private:
  const std::shared_ptr<executor_core> on_;
  const std::string name_;
  const std::source_location from_;
  std::atomic<const running_place*> begun_at_{nullptr};  // only compared
  context failed_in_;                                    // written before the outcome
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
    task_.begin();
    this->keep(result<Value>::of([this]() -> Value { return std::invoke(*work_); }));
    if (!this->kept()->has_value()) task_.keep_context();
  }
  /// The posted function ends: tells the outcome, if it ran or not.
  void finish() noexcept {
    work_.reset();
    if (!this->kept()) this->keep(make_dropped());
    this->publish();
    this->release();
  }

 private:
  ~submitted_state() override {
    if (const std::exception_ptr error = this->unobserved_error()) {
      this->mark_observed();
      task_.report(error);
    }
  }
  void refuse_wait_for_itself(const char* what) const override { task_.refuse_wait_by_itself(what); }

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
  future<Value> get_future() const noexcept { return future<Value>(state_); }

 private:
  submitted_state<Value, Work>* state_;
};

template <typename Work>
auto submit_to(const std::shared_ptr<executor_core>& on, Work&& work, task_options options,
               std::source_location from) {
  using held = std::decay_t<Work>;
  using value = std::invoke_result_t<held&>;
  submitted_work<value, held> posted(
      new submitted_state<value, held>(on, options, from, std::forward<Work>(work)));
  future<value> outcome = posted.get_future();
  on->post({std::move(posted), context::capture(), std::move(options), from});
  return outcome;
}

}  // namespace weft::detail

namespace weft {

template <typename Work>
auto executor::submit(Work&& work, std::source_location from) const
    -> future<std::invoke_result_t<std::decay_t<Work>&>> {
  return detail::submit_to(core_, std::forward<Work>(work), {}, from);
}

template <typename Work>
auto executor::submit(Work&& work, task_options options, std::source_location from) const
    -> future<std::invoke_result_t<std::decay_t<Work>&>> {
  return detail::submit_to(core_, std::forward<Work>(work), std::move(options), from);
}

}  // namespace weft
