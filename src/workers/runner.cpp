#include <weft/workers/runner.hpp>

#include <string>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/failure.hpp>

#include "workers/exchange.hpp"
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
  std::unique_ptr<detail::worker_link> link;
  wire::frame got;
  try {
    detail::prepare(*pool_, link, bound, true);
    auto outcome = outcome_of(detail::exchange(*pool_, link, call, bound, got));
    if (link != nullptr) pool_->finish(std::move(link));
    return outcome;
  } catch (const error&) {
    // Its place failed: the worker died, was stopped, could not be started, or the line was full.
    if (link != nullptr) pool_->finish(std::move(link));
    closure_outcome outcome;
    outcome.error = failure_of_run();
    return outcome;
  } catch (...) {
    if (link != nullptr) pool_->finish(std::move(link));
    throw;
  }
}

}  // namespace weft::workers
