#include "workers/called_function.hpp"

#include <weft/closure/registry.hpp>
#include <weft/core/error.hpp>
#include <weft/wire/binary.hpp>

namespace weft::inline v1::workers::detail {

namespace {

bytes call_interface(const worker_program& program, served_call& running) {
  const auto& call = running.call();
  const auto* const function = program.offered->find(call.target);
  if (function == nullptr) {
    throw error(errc::not_found, "workers: call \"" + std::string(call.target) +
                                     "\": the worker's interface has no such function; add it in setup");
  }
  wire::binary_decoder arguments(as_bytes(call.arguments));
  bytes result;
  wire::binary_encoder encoder(result);
  services of_this_call(*program.provided, service_scope::per_task);
  of_this_call.provide<caller>(running);
  (*function)(of_this_call, arguments, encoder);
  return result;
}

// Code of the client's choice is for clients that the server let in by who they are.
void require_closures(const worker_program& program) {
  if (program.allows_closures) return;
  throw error(errc::refused, "workers: call a closure: this server runs none for clients over TCP");
}

// Arguments and result in the binary form: both ends are of one build, or agree by the schema.
bytes call_closure(const worker_program& program, served_call& running) {
  require_closures(program);
  const auto& call = running.call();
  wire::binary_decoder arguments(as_bytes(call.arguments));
  const auto bound = closure_registry::bind(call.target, arguments);
  if (!bound) throw declined(bound.refusal());
  services task(*program.provided, service_scope::per_task);
  task.provide<caller>(running);
  bytes result;
  wire::binary_encoder encoder(result);
  bound->run(task, encoder);
  return result;
}

std::string join(const std::vector<std::string>& sentences) {
  std::string text;
  for (const auto& one : sentences) text += (text.empty() ? "" : "; ") + one;
  return text;
}

// A closure as it was written down, with the run objects of its place.
bytes run_written(const worker_program& program, served_call& running) {
  require_closures(program);
  const auto& call = running.call();
  const auto bound = closure_registry::bind(call.target, call.arguments);
  if (!bound) throw declined(bound.refusal());
  services task(*program.provided, service_scope::per_task);
  task.provide<caller>(running);
  if (call.has_link) task.provide<run_link>(running);
  if (const auto missing = bound->missing(task); !missing.empty()) {
    throw declined({closure_refusal_reason::services_missing, join(missing),
                    closure_identity::parse(call.target).schema, "", ""});
  }
  return to_bytes((*bound)(task));
}

}  // namespace

bytes call_function(const worker_program& program, served_call& call) {
  switch (call.call().kind) {
    case call_kind::interface_name:
      return call_interface(program, call);
    case call_kind::closure:
      return call_closure(program, call);
    case call_kind::written_closure:
      return run_written(program, call);
  }
  throw error(errc::malformed, "workers: answer a call: unknown kind");
}

}  // namespace weft::inline v1::workers::detail
