#include <weft/fiber/run.hpp>

#include <weft/fiber/loop_rest.hpp>

#include <weft/fiber/fiber.hpp>

#include "fiber/runtime.hpp"
#include "fiber/scheduler.hpp"
#include "fiber/terminate.hpp"

namespace weft::inline v1 {
namespace {

std::any& last_exit_of_thread() noexcept {
  thread_local std::any status;
  return status;
}

/// What the run gives or throws for the reason it was ended for.
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
  const terminate_watch names_fibers;
  runtime here(std::move(options));
  auto body = [&here, &main] {
    try {
      return main();
    } catch (...) {
      here.end(std::current_exception(), cancel_reason::shutdown);
      throw;
    }
  };
  fiber_origin origin{.context = context::capture(), .name = "main", .made_at = from};
  auto* const fiber = new fiber_body<int, decltype(body)>(origin, body);
  fiber->mark_observed();
  try {
    here.first().add(*fiber, true);
  } catch (...) {
    fiber->discard();
    fiber->release();
    throw;
  }
  here.run_loops();
  const result<int> outcome = fiber->take();
  fiber->release();
  if (here.end_reason() != nullptr) return status_of(here.end_reason());
  return outcome.value();
}

}  // namespace detail

std::string_view to_string(fiber_state state) noexcept {
  switch (state) {
    case fiber_state::not_started:
      return "has not started";
    case fiber_state::ready:
      return "is ready";
    case fiber_state::running:
      return "runs";
    case fiber_state::waiting:
      return "waits";
  }
  return "?";
}

deadlock_error::deadlock_error(std::string fibers)
    : error(errc::deadlock, "run: all fibers waited, and nothing could wake them:\n" + fibers),
      fibers_(std::move(fibers)) {}

void exit(std::any status) {
  throw exit_exception(std::move(status), this_fiber::in_fiber(), in_server.value_or(false));
}

const std::any& last_exit() noexcept { return last_exit_of_thread(); }

steady_time loop_at_rest() noexcept {
  detail::scheduler* const here = detail::scheduler::current();
  return here == nullptr ? steady_time::min() : here->at_rest();
}

run_statistics statistics() noexcept {
  const detail::scheduler* const here = detail::scheduler::current();
  return here == nullptr ? run_statistics{} : here->of().statistics();
}

std::vector<fiber_info> list_fibers() {
  const detail::scheduler* const here = detail::scheduler::current();
  return here == nullptr ? std::vector<fiber_info>() : here->of().list();
}

}  // namespace weft::inline v1
