#include "jobs/unsigned_job.hpp"

#include <algorithm>
#include <cstdint>

#include <weft/closure/identity.hpp>
#include <weft/codec/describe.hpp>
#include <weft/trace/propagation.hpp>
#include <weft/wire/json.hpp>
#include <weft/wire/json_value.hpp>

#include "jobs/longest_wait.hpp"

namespace weft::inline v1::jobs {
namespace {

constexpr int unsigned_version = 1;

struct unsigned_body {
  int weft_job = 0;  ///< version of the form
  wire::json_value arguments;
  int attempts = unsigned_attempts_max;
  std::int64_t timeout_ms = 0;
  std::string source;
  std::string traceparent;
  std::string tracestate;
  std::string baggage;
};
WEFT_DESCRIBE(unsigned_body, weft_job, arguments, attempts, timeout_ms, source, traceparent, tracestate,
              baggage);
WEFT_MISSING_IS_DEFAULT(unsigned_body);

[[noreturn]] void refuse(errc why, const std::string& what) {
  throw error(why, "jobs: read a job without a signature: " + what);
}

/// The context that came with it, as a push would have captured it.
std::string context_of(const unsigned_body& body) {
  trace::incoming found;
  if (!body.traceparent.empty()) found.add("traceparent", body.traceparent);
  if (!body.tracestate.empty()) found.add("tracestate", body.tracestate);
  if (!body.baggage.empty()) found.add("baggage", body.baggage);
  return found.on(context()).to_wire(wire_policy::job);
}

template <typename Row>
job_envelope read(const Row& row) {
  const auto body = wire::from_json<unsigned_body>(row.envelope);
  if (body.weft_job > unsigned_version) {
    refuse(errc::unsupported, "its form has version " + std::to_string(body.weft_job) +
                                  ", this build knows up to " + std::to_string(unsigned_version) +
                                  "; use a newer one");
  }
  if (body.weft_job != unsigned_version)
    refuse(errc::malformed, "\"weft_job\" must be 1, the version of its form");
  if (body.arguments.if_list() == nullptr) refuse(errc::malformed, "\"arguments\" must be a list");
  if (body.attempts < 1) refuse(errc::malformed, "\"attempts\" must be 1 or more");
  if (body.timeout_ms < 0) refuse(errc::malformed, "\"timeout_ms\" must be 0 or more");
  job_envelope job;
  job.id = row.id;
  job.queue = row.queue;
  job.closure = row.handler;
  job.arguments = wire::to_json(body.arguments);
  job.attempts_max = body.attempts;
  const std::chrono::milliseconds longest = std::chrono::floor<std::chrono::milliseconds>(longest_wait);
  job.timeout = std::min(std::chrono::milliseconds(body.timeout_ms), longest);
  job.source = body.source;
  job.context = context_of(body);
  return job;
}

}  // namespace

bool is_unsigned(std::string_view stored) noexcept { return stored.starts_with('{'); }

job_envelope read_unsigned(const stored_job& row) { return read(row); }
job_envelope read_unsigned(const claimed_job& row) { return read(row); }

void check_allowed(const claimed_job& row, const unsigned_closures& allowed) {
  const auto of_queue = allowed.find(row.queue);
  if (of_queue == allowed.end()) {
    refuse(errc::refused, "the worker takes none from the queue \"" + row.queue +
                              "\" (worker_options::unsigned_jobs names those that it does)");
  }
  const auto name = closure_identity::parse(row.handler).name;
  const auto& names = of_queue->second;
  if (!name.empty() && std::find(names.begin(), names.end(), name) != names.end()) return;
  refuse(errc::refused, "\"" + row.handler + "\" is none of the closures that the queue \"" + row.queue +
                            "\" may run so (worker_options::unsigned_jobs)");
}

}  // namespace weft::inline v1::jobs
