#include <weft/executor/scheduled_pool.hpp>

#include <mutex>
#include <utility>

#include <weft/core/error.hpp>

#include "executor/process_wide.hpp"
#include "executor/schedule_core.hpp"

namespace weft::inline v1 {
namespace {

std::unique_ptr<thread_pool> make_pool(scheduled_pool_options& options) {
  auto pool = thread_pool_options::cached(options.threads, options.name);
  pool.on_uncaught = std::move(options.on_uncaught);
  return std::make_unique<thread_pool>(std::move(pool));
}

}  // namespace

// The handle.

scheduled_task::scheduled_task(std::shared_ptr<detail::scheduled_record> record) noexcept
    : record_(std::move(record)) {}

bool scheduled_task::cancel() noexcept { return record_ != nullptr && record_->of->cancel(*record_); }

void scheduled_task::wait() const {
  if (record_ == nullptr) throw weft::error(errc::misuse, "scheduled_task::wait: the handle is empty");
  record_->of->wait(*record_);
}

scheduled_state scheduled_task::state() const noexcept {
  if (record_ == nullptr) return scheduled_state::done;
  const std::lock_guard held(record_->of->lock_of_tasks());
  return record_->state;
}

std::exception_ptr scheduled_task::error() const noexcept {
  if (record_ == nullptr) return nullptr;
  const std::lock_guard held(record_->of->lock_of_tasks());
  return record_->error;
}

std::uint64_t scheduled_task::runs() const noexcept {
  if (record_ == nullptr) return 0;
  const std::lock_guard held(record_->of->lock_of_tasks());
  return record_->runs;
}

std::uint64_t scheduled_task::missed() const noexcept {
  if (record_ == nullptr) return 0;
  const std::lock_guard held(record_->of->lock_of_tasks());
  return record_->missed;
}

steady_time scheduled_task::due() const noexcept {
  if (record_ == nullptr) return no_deadline;
  const std::lock_guard held(record_->of->lock_of_tasks());
  return record_->state == scheduled_state::waiting ? record_->due_at : no_deadline;
}

// The pool.

scheduled_pool::scheduled_pool(scheduled_pool_options options)
    : scheduled_pool(options, make_pool(options)) {}

scheduled_pool::scheduled_pool(const scheduled_pool_options& options, std::unique_ptr<thread_pool> pool)
    : executor(*pool),
      pool_(std::move(pool)),
      schedule_(std::make_shared<detail::schedule_core>(*pool_, options.name, options.tasks_max)) {}

scheduled_pool::~scheduled_pool() {
  schedule_->close();
  schedule_->join_watcher();
}

scheduled_task scheduled_pool::add(steady_time due, steady_clock::duration period, bool after_end,
                                   unique_function<void()> work, task_options options,
                                   std::source_location from) {
  auto record = std::make_shared<detail::scheduled_record>();
  record->of = schedule_;
  record->work = std::move(work);
  record->context = weft::context::capture();
  record->options = std::move(options);
  record->submitted_at = from;
  record->period = period;
  record->after_end = after_end;
  record->due_at = due;
  schedule_->add(record);
  return scheduled_task(std::move(record));
}

steady_clock::duration scheduled_pool::checked_length(steady_clock::duration period) {
  if (period >= std::chrono::microseconds(1)) return period;
  throw error(errc::invalid_argument, "scheduled_pool: a period must be at least a microsecond");
}

void scheduled_pool::require_own(const char* what) const {
  if (!is_common_) return;
  throw error(errc::misuse,
              std::string(what) +
                  ": common_scheduled_pool() belongs to the whole program and is not shut down; "
                  "make a scheduled_pool for work that must be over at some point");
}

void scheduled_pool::close() {
  require_own("scheduled_pool::close");
  schedule_->close();
  pool_->close();
}

shutdown_report scheduled_pool::shutdown(std::chrono::milliseconds bound, std::chrono::milliseconds grace) {
  require_own("scheduled_pool::shutdown");
  schedule_->close();
  return pool_->shutdown(bound, grace);
}

std::size_t scheduled_pool::waiting() const noexcept { return schedule_->waiting(); }

scheduled_pool& common_scheduled_pool() {
  static detail::process_wide<scheduled_pool> pool;
  return pool.get([] {
    auto made = std::make_unique<scheduled_pool>(scheduled_pool_options{.name = "common-time"});
    made->is_common_ = true;
    return made;
  });
}

}  // namespace weft::inline v1
