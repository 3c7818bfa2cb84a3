#include <weft/executor/coroutine_driver.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <utility>

#include <weft/context/context.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/executor/executor.hpp>

#include "executor/posted_part.hpp"

namespace weft::inline v1::detail {

void waiting_driver::run(std::coroutine_handle<> root) {
  waiting_ = root;
  while (!root.done()) {
    source_ = nullptr;
    waiting_.resume();
    if (root.done()) return;
    try {
      source_->wait_ready(no_deadline);
    } catch (const cancelled& stop) {
      gave_up_ = std::current_exception();
      source_->cancel(stop.reason());
    } catch (...) {
      gave_up_ = std::current_exception();
    }
  }
}

namespace {

/// Posts the resumption of a foreign coroutine.
class resumption final : public future_callback {
 public:
  explicit resumption(std::shared_ptr<foreign_wait> waiting)
      : waiting_(std::move(waiting)), on_(current_executor()), captured_(context::capture()) {}

 private:
  friend class posted_part<resumption>;

  void source_ready() noexcept override {
    try {
      on_.core()->post({posted_part(*this), captured_, {}, {}});
    } catch (...) {
      // It goes on here, below.
    }
    end_one();
  }
  void run_part() {
    ran_ = true;
    if (const auto frame = waiting_->take()) frame.resume();
  }
  void end_one() noexcept {
    if (open_ends_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::unique_ptr<resumption> ends_here(this);
    if (ran_) return;
    const context::attachment here(captured_);
    try {
      run_part();
    } catch (const cancelled&) {
      // It gave up as it was asked to.
    } catch (...) {
      on_.core()->report_uncaught(
          {.error = std::current_exception(), .executor = on_.name(), .name = {}, .submitted_at = {}});
    }
  }

  const std::shared_ptr<foreign_wait> waiting_;
  const executor on_;
  const context captured_;
  std::atomic<int> open_ends_{2};
  bool ran_ = false;
};

}  // namespace

void resume_when_ready(future_core& source, std::shared_ptr<foreign_wait> waiting) {
  source.call_when_ready(*new resumption(std::move(waiting)));
}

}  // namespace weft::inline v1::detail
