#include "workers/called_function.hpp"

#include <weft/closure/registry.hpp>
#include <weft/core/error.hpp>
#include <weft/wire/binary.hpp>

namespace weft::workers::detail {

namespace {

bytes call_interface(const worker_program& program, const call_frame& call) {
  const auto* const function = program.offered->find(call.target);
  if (function == nullptr) {
    throw error(errc::not_found, "workers: call \"" + std::string(call.target) +
                                     "\": the worker's interface has no such function; add it in setup");
  }
  wire::binary_decoder arguments(as_bytes(call.arguments));
  bytes result;
  wire::binary_encoder encoder(result);
  (*function)(*program.provided, arguments, encoder);
  return result;
}

// Code of the client's choice is for clients that the server let in by who they are.
void require_closures(const worker_program& program) {
  if (program.allows_closures) return;
  throw error(errc::refused, "workers: call a closure: this server runs none for clients over TCP");
}

// Arguments and result in the binary form: both ends are of one build, or agree by the schema.
bytes call_closure(const worker_program& program, const call_frame& call) {
  require_closures(program);
  wire::binary_decoder arguments(as_bytes(call.arguments));
  const auto bound = closure_registry::bind(call.target, arguments);
  if (!bound) throw declined(bound.refusal());
  services task(*program.provided, service_scope::per_task);
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
bytes run_written(const worker_program& program, const call_frame& call, run_link& link) {
  require_closures(program);
  const auto bound = closure_registry::bind(call.target, call.arguments);
  if (!bound) throw declined(bound.refusal());
  services task(*program.provided, service_scope::per_task);
  if (call.has_link) task.provide(link);
  if (const auto missing = bound->missing(task); !missing.empty()) {
    throw declined({closure_refusal_reason::services_missing, join(missing),
                    closure_identity::parse(call.target).schema, "", ""});
  }
  return to_bytes((*bound)(task));
}

}  // namespace

bytes call_function(const worker_program& program, const call_frame& call, run_link& link) {
  switch (call.kind) {
    case call_kind::interface_name:
      return call_interface(program, call);
    case call_kind::closure:
      return call_closure(program, call);
    case call_kind::written_closure:
      return run_written(program, call, link);
  }
  throw error(errc::malformed, "workers: answer a call: unknown kind");
}

}  // namespace weft::workers::detail
