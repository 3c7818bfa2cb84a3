#include <weft/executor/continuation.hpp>

#include <utility>

#include <weft/context/cancellation.hpp>

#include "executor/posted_part.hpp"

namespace weft::inline v1::detail {

continuation::continuation(std::shared_ptr<executor_core> on, std::source_location from)
    : task_(std::move(on), {}, from), captured_(context::capture()) {}

void continuation::go_on() noexcept {
  const std::shared_ptr<executor_core> on = task_.on();
  if (on == nullptr) {
    {
      const context::attachment here(std::move(captured_));
      const cancel_scope wakes_its_waits;
      run_part();
    }
    const context::attachment in_root{context()};
    return finish_step();
  }
  // Not in the context of whoever brought the outcome: its end is not ours.
  const context::attachment in_root{context()};
  try {
    on->post({posted_part(*this), std::move(captured_), {}, task_.from()});
  } catch (...) {
    refused_ = std::current_exception();
  }
  end_one();
}

void continuation::end_one() noexcept {
  if (open_ends_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const context::attachment in_root{context()};
  finish_step();
}

void continuation::skip() noexcept {
  const context::attachment in_root{context()};
  captured_ = {};
  finish_step();
}

}  // namespace weft::inline v1::detail
