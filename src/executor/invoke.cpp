#include <weft/executor/invoke.hpp>

#include <atomic>
#include <mutex>
#include <string>

#include <weft/core/error.hpp>
#include <weft/core/holds_exception.hpp>
#include <weft/core/unwinding.hpp>

namespace weft::inline v1::detail {

/// Who has which function; lives as long as a posted task does. `call` may be used by who has claimed one
/// that has not ended.
class invocation::claims {
 public:
  claims(invocation& of, std::size_t count) : call(of), claimed_(count) {}
  bool claim(std::size_t index) noexcept {
    return !claimed_[index].exchange(true, std::memory_order_acq_rel);
  }

  invocation& call;

 private:
  std::vector<std::atomic<bool>> claimed_;
};

/// What is posted for one function.
class invocation::posted_call {
 public:
  posted_call(std::shared_ptr<claims> of, std::size_t index) noexcept
      : claims_(std::move(of)), index_(index) {}
  posted_call(posted_call&&) noexcept = default;
  posted_call& operator=(posted_call&&) = delete;
  ~posted_call() {
    if (claims_ != nullptr && (is_mine_ || claims_->claim(index_))) claims_->call.end_one();
  }
  void operator()() {
    is_mine_ = claims_->claim(index_);
    if (is_mine_) {
      claims_->call.run_one(index_);
    } else {
      claims_.reset();
    }
  }

 private:
  std::shared_ptr<claims> claims_;
  std::size_t index_;
  bool is_mine_ = false;
};

invocation::invocation(const char* what, std::size_t count)
    : what_(what), count_(count), claims_(std::make_shared<claims>(*this, count)), open_(count) {}

invocation::~invocation() = default;

void invocation::run(const executor& on, std::source_location from) {
  require_wait_allowed(what_);
  check_cancelled(what_);
  const bool helps = on.runs_caller() && !on.core()->suspends_waits();
  if (!helps && on.is_held_up_by_caller()) {
    throw error(errc::deadlock, std::string(what_) + " on \"" + std::string(on.name()) +
                                    "\": the functions could begin only after the caller has ended; call it "
                                    "elsewhere, or give the executor another thread");
  }
  std::exception_ptr refused;
  {
    cancel_scope group;
    group_ = &group;
    try {
      post_all(on, from);
    } catch (...) {
      refused = std::current_exception();
      group.cancel(cancel_reason::sibling);
    }
    if (helps) run_here();
    wait_for_all();
  }
  if (refused != nullptr) std::rethrow_exception(refused);
  check_cancelled(what_);
}

void invocation::post_all(const executor& on, std::source_location from) {
  batch_capture captured(static_cast<std::uint32_t>(count_));
  for (std::size_t i = 0; i < count_ && !group_->is_cancelled(); ++i) {
    on.core()->post({posted_call(claims_, i), captured.take(), {.name = what_}, from});
  }
}

/// What nobody else has begun; in the context of the call, as everywhere.
void invocation::run_here() {
  for (std::size_t i = 0; i < count_ && !cancellation_requested(); ++i) {
    if (!claims_->claim(i)) continue;
    run_one(i);
    end_one();
  }
}

void invocation::run_one(std::size_t index) noexcept {
  if (!invoke(index)) return;
  {
    const std::lock_guard lock(lock_);
    if (decided_by_) return;
    decided_by_ = index;
  }
  group_->cancel(cancel_reason::sibling);  // wakes the caller too
}

void invocation::end_one() noexcept {
  const std::lock_guard lock(lock_);
  if (--open_ == 0) waiters_.serve_all();
}

void invocation::skip_unbegun() noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (claims_->claim(i)) end_one();
  }
}

void invocation::wait_for_all() {
  bool skipped = false;
  std::unique_lock lock(lock_);
  while (open_ > 0) {
    waiter self;
    if (wait_in(waiters_, self, lock, no_deadline, what_, !skipped) != wait_outcome::cancelled) continue;
    skipped = true;
    lock.unlock();
    skip_unbegun();
    lock.lock();
  }
}

bool is_failure(const std::exception_ptr& error) noexcept { return !holds_exception<cancelled>(error); }

void throw_empty_set(const char* what) {
  throw error(errc::invalid_argument, std::string(what) + ": there is no function to choose from");
}

void throw_dropped(const char* what) { throw cancelled(cancel_reason::shutdown, what); }

}  // namespace weft::inline v1::detail
