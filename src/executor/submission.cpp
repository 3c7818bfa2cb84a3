#include <weft/executor/submission.hpp>

#include <mutex>
#include <new>
#include <string_view>

#include <weft/core/error.hpp>
#include <weft/core/holds_exception.hpp>
#include <weft/core/unwinding.hpp>

#include "executor/exception_of.hpp"
#include "executor/uncaught.hpp"

namespace weft::inline v1::detail {

namespace {

/// Null where there is no memory: the error is told of all the same.
std::shared_ptr<const error_origin> make_origin(const std::exception_ptr& error,
                                                const std::shared_ptr<executor_core>& on,
                                                const std::string& name, std::source_location from) noexcept {
  try {
    return std::make_shared<const error_origin>(error, context::current(), on, name, from);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace

submission::submission(std::shared_ptr<executor_core> on, const task_options& options,
                       std::source_location from)
    : on_(std::move(on)), name_(options.name), from_(from) {}

bool submission::begin() noexcept {
  const task_block& self = task_block::current();
  begun_at_.store(self.place, std::memory_order_release);
  const std::lock_guard lock(lock_);
  begun_ = true;
  running_ = cancel_state_of(self);
  return !stopped_;
}

void submission::end() noexcept {
  static const running_place nowhere;
  begun_at_.store(&nowhere, std::memory_order_release);
  const std::lock_guard lock(lock_);
  running_ = nullptr;
}

bool submission::stop(cancel_reason reason) noexcept {
  const std::lock_guard lock(lock_);
  if (running_ != nullptr) running_->cancel(reason);
  const bool is_first = !stopped_;
  if (is_first) stopped_ = reason;
  return is_first && !begun_;
}

std::optional<cancel_reason> submission::stopped() const noexcept {
  const std::lock_guard lock(lock_);
  return stopped_;
}

std::shared_ptr<const error_origin> submission::failed_here(const std::exception_ptr& error) const noexcept {
  return make_origin(error, on_, name_, from_);
}

void submission::refuse_wait_by_itself(const char* what) const {
  if (on_ == nullptr) return;
  const running_place* const begun = begun_at_.load(std::memory_order_acquire);
  if (begun != nullptr ? !is_inside(begun) : !on_->is_held_up_by_caller()) return;
  const running_place* const here = task_block::current().place;
  const std::string caller = here == nullptr || here->task == nullptr
                                 ? "a fiber"
                                 : describe_task(here->task->options.name, here->task->submitted_at);
  const std::string awaited = describe_task(name_, from_);
  const std::string on = " on \"" + std::string(on_->name()) + '"';
  if (begun != nullptr) {
    throw error(errc::deadlock, std::string(what) + ": " + caller + " waits inside of " + awaited + on +
                                    " for the end of that; it would wait for ever");
  }
  throw error(errc::deadlock,
              std::string(what) + ": " + caller + " waits for " + awaited + ", which is queued behind it" +
                  on +
                  " and begins only after it; let it go on by a continuation, call it here, or give the "
                  "executor another thread");
}

std::shared_ptr<const error_origin> failure_here(const std::exception_ptr& error) noexcept {
  return make_origin(error, nullptr, {}, {});
}

std::shared_ptr<const error_origin> as_origin_of(const std::exception_ptr& error,
                                                 const std::shared_ptr<const error_origin>& origin) noexcept {
  if (origin == nullptr) return nullptr;
  const context::attachment of_what_failed(origin->context);
  return make_origin(error, origin->on, origin->name, origin->from);
}

bool is_from(const error_origin* origin, const std::exception_ptr& error) noexcept {
  return origin != nullptr && origin->error == error;
}

void report_unobserved(const std::exception_ptr& error, const error_origin* origin) noexcept {
  if (is_stop(error)) return;
  if ((origin == nullptr || origin->on == nullptr) && holds_exception<unwinding>(error)) return;
  if (origin == nullptr) {
    const context::attachment in_root{context()};
    return report_failed_task({.error = error, .executor = {}, .name = {}, .submitted_at = {}});
  }
  if (origin->is_reported.exchange(true, std::memory_order_relaxed)) return;
  const context::attachment in_its_context(origin->context);
  const failed_task what{.error = error,
                         .executor = origin->on != nullptr ? origin->on->name() : "",
                         .name = origin->name,
                         .submitted_at = origin->from};
  origin->on != nullptr ? origin->on->report_uncaught(what) : report_failed_task(what);
}

unique_function<void(cancel_reason)> bind_told(unique_function<void(cancel_reason)> told) {
  return bind(std::move(told));
}

void end_in_root(unique_function<void(cancel_reason)> told) noexcept {
  if (!told) return;
  const context::attachment in_root{context()};
  told = {};
}

std::exception_ptr make_dropped() {
  return exception_of([] { return cancelled(cancel_reason::shutdown, "executor queue"); });
}

}  // namespace weft::inline v1::detail
