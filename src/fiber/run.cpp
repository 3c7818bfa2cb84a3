#include <weft/fiber/run.hpp>

#include <weft/fiber/fiber.hpp>

#include "fiber/scheduler.hpp"

namespace weft {
namespace {

std::any& last_exit_of_thread() noexcept {
  thread_local std::any status;
  return status;
}

int status_of(const std::exception_ptr& end_reason) {
  try {
    std::rethrow_exception(end_reason);
  } catch (const exit_exception& stop) {
    last_exit_of_thread() = stop.status();
    return stop.status_code();
  }
}

}  // namespace

namespace detail {

int run_main(unique_function<int()> main, run_options options, std::source_location from) {
  require_wait_allowed("run");
  last_exit_of_thread().reset();
  scheduler here(std::move(options));
  auto body = [&here, &main] {
    try {
      return main();
    } catch (...) {
      here.end_run(std::current_exception());
      throw;
    }
  };
  auto* const fiber = new fiber_body<int, decltype(body)>("main", capture_current(), body);
  fiber->set_made_at(from);
  fiber->mark_observed();
  fiber->retain();  // for the scheduler
  try {
    here.add(*fiber);
  } catch (...) {
    fiber->discard();
    throw;
  }
  fiber->retain();  // for us
  here.loop();
  const result<int> outcome = fiber->take();
  fiber->release();
  if (here.end_reason() != nullptr) return status_of(here.end_reason());
  return outcome.value();
}

}  // namespace detail

void exit(std::any status) {
  throw exit_exception(std::move(status), this_fiber::in_fiber(), in_server.value_or(false));
}

const std::any& last_exit() noexcept { return last_exit_of_thread(); }

run_statistics statistics() noexcept {
  const detail::scheduler* const here = detail::scheduler::current();
  return here == nullptr ? run_statistics{} : here->statistics();
}

}  // namespace weft
