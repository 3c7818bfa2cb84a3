#include <weft/workers/runner.hpp>

#include <csignal>
#include <string>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/failure.hpp>
#include <weft/core/fault_point.hpp>
#include <weft/log/log.hpp>
#include <weft/workers/errors.hpp>

#include "workers/checkout_core.hpp"
#include "workers/pool.hpp"

namespace weft::inline v1::workers {

namespace {

closure_outcome outcome_of(detail::reply_frame reply) {
  closure_outcome outcome;
  outcome.log = std::move(reply.log);
  switch (reply.type) {
    case detail::frame_type::answer:
      outcome.result.emplace(reply.value);
      break;
    case detail::frame_type::failed:
      outcome.error = std::move(reply.failure);
      break;
    case detail::frame_type::declined:
      outcome.refusal = std::move(reply.refusal);
      break;
    default:
      try {
        detail::value_of(reply);
      } catch (...) {
        outcome.error = failure_of_run();
      }
  }
  return outcome;
}

// One that took too long was killed for that. SIGTERM is how a service is stopped, with all its processes,
// and not how a program breaks. Both spend an attempt of a job, so that one that raises SIGTERM itself has an
// end.
run_fault fault_of(const worker_died& died) {
  const bool was_stopped = died.status().is_signaled() && died.status().value == SIGTERM;
  return was_stopped || died.cause() == death_cause::hung ? run_fault::own : run_fault::died;
}

void log_last_words(const worker_died& died) {
  if (died.last_words().empty()) return;
  log::error("workers: what a worker that died wrote last", {{"stderr", died.last_words()}});
}

}  // namespace

closure_outcome worker_runner::run(const closure_request& request) {
  detail::outgoing_call call;
  call.kind = detail::call_kind::written_closure;
  call.target = request.identity;
  call.arguments = request.arguments;
  call.context = request.context;
  call.link = request.link;
  const auto bound = request.deadline != no_deadline ? detail::call_bound{request.deadline, std::nullopt}
                                                     : detail::call_bound::after(pool_->options().timeout);
  const auto core = std::make_shared<detail::checkout_core>(pool_, checkout_options{});
  wire::frame got;
  closure_outcome failed;
  failed.fault = run_fault::not_begun;
  try {
    fault_point("weft.workers.call");
    core->make_ready(bound);
    failed.fault = run_fault::own;
    if (pool_->options().stand_in != nullptr) {
      auto bounded = request;
      bounded.deadline = bound.until;
      return core->run_in_stand_in(bounded, bound);
    }
    return outcome_of(core->call_natively(call, bound, got));
  } catch (const worker_died& died) {
    if (failed.fault == run_fault::own) failed.fault = fault_of(died);
    log_last_words(died);
    failed.error = failure_of_run();
  } catch (const error&) {
    // It was stopped at its time, could not be started, or the line was full.
    failed.error = failure_of_run();
  }
  return failed;
}

}  // namespace weft::inline v1::workers
