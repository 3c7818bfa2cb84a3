#include <weft/closure/runner.hpp>

#include <weft/log/collector.hpp>
#include <weft/log/log.hpp>

namespace weft::inline v1 {
namespace {

closure_refusal missing_services(const closure_request& request, const std::vector<std::string>& missing) {
  std::string text;
  for (const auto& one : missing) text += (text.empty() ? "" : "; ") + one;
  return {closure_refusal_reason::services_missing, text, closure_identity::parse(request.identity).schema,
          "", ""};
}

}  // namespace

context detail::under_caller(const context& given) {
  cancel_state* const state = current_cancel_state();
  if (state == nullptr) return given;
  state->retain();
  return context::from_node(make_border(retain(given.node()), state));
}

run_link::~run_link() = default;
closure_runner::~closure_runner() = default;

failure failure_of_run() { return failure::from(std::current_exception()); }

closure_outcome in_place_runner::run(const closure_request& request) {
  closure_outcome outcome;
  const auto bound = closure_registry::bind(request.identity, request.arguments);
  if (!bound) {
    outcome.refusal = bound.refusal();
    return outcome;
  }
  services task(*app_, service_scope::per_task);
  if (request.link != nullptr) task.provide(*request.link);
  if (const auto missing = bound->missing(task); !missing.empty()) {
    outcome.refusal = missing_services(request, missing);
    return outcome;
  }
  std::exception_ptr given_up;
  {
    const auto here = detail::under_caller(context::from_wire(request.context)).attach();
    log::collector records;
    try {
      outcome.result = with_deadline(request.deadline, [&] { return (*bound)(task); });
    } catch (const cancelled&) {
      // Either from around this call, or from a scope of the run's own, which it did not catch.
      outcome.error = failure_of_run();
      if (cancellation_requested()) given_up = std::current_exception();
    } catch (...) {
      outcome.error = failure_of_run();
    }
    outcome.log = records.take_all();
  }
  if (given_up == nullptr) return outcome;
  log::emit(std::move(outcome.log));
  std::rethrow_exception(given_up);
}

}  // namespace weft::inline v1
