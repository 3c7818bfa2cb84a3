#include <weft/workers/runner.hpp>

#include <string>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/failure.hpp>

#include "workers/checkout_core.hpp"
#include "workers/pool.hpp"

namespace weft::workers {

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
  try {
    return outcome_of(core->call_natively(call, bound, got));
  } catch (const error&) {
    // Its place failed: the worker died, was stopped, could not be started, or the line was full.
    closure_outcome outcome;
    outcome.error = failure_of_run();
    return outcome;
  }
}

}  // namespace weft::workers
