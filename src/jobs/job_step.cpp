#include "jobs/job_step.hpp"

#include <weft/codec/bytes.hpp>
#include <weft/jobs/control_messages.hpp>
#include <weft/jobs/store.hpp>
#include <weft/wire/canonical.hpp>
#include <weft/wire/envelope.hpp>

namespace weft::inline v1::jobs {
namespace {

constexpr std::string_view step_purpose = "job step";
constexpr std::uint64_t step_version = 1;
constexpr std::size_t name_bytes_max = 128;
constexpr std::size_t step_bytes_max = std::size_t{256} * 1024;

std::string about(job_id id, std::string_view name) {
  return "the step \"" + std::string(name) + "\" of job " + to_string(id);
}

}  // namespace

void check_step(job_id id, std::string_view name, std::string_view json) {
  if (name.empty() || name.size() > name_bytes_max) {
    throw error(errc::invalid_argument, "jobs: keep a step of job " + to_string(id) + ": its name has " +
                                            std::to_string(name.size()) + " bytes, 1 to " +
                                            std::to_string(name_bytes_max) + " are allowed");
  }
  if (json.size() > step_bytes_max) {
    throw error(errc::too_large, "jobs: keep " + about(id, name) + ": it has " + std::to_string(json.size()) +
                                     " bytes, " + std::to_string(step_bytes_max) +
                                     " are the limit; keep large data elsewhere and return its name");
  }
}

std::string step_to_store(const wire::key_ring& keys, job_id id, std::string_view name,
                          std::string_view json) {
  check_step(id, name, json);
  wire::canonical_writer out;
  out.unsigned_integer(step_version);
  out.integer(static_cast<std::int64_t>(id));
  out.text(name);
  out.binary(as_bytes(json));
  return std::string(as_text(wire::sign(keys, step_purpose, out)));
}

named_step read_named_step(const wire::key_ring& keys, job_id id, std::string_view kept) {
  const bytes body = wire::verify(keys, step_purpose, as_bytes(kept));
  wire::canonical_reader in(body);
  const std::uint64_t found = in.unsigned_integer();
  if (found != step_version) {
    throw error(errc::unsupported, "jobs: read a step of job " + to_string(id) + ": its form has version " +
                                       std::to_string(found) + ", this build knows " +
                                       std::to_string(step_version));
  }
  const job_id owner{in.integer()};
  named_step step{std::string(in.text()), {}};
  if (owner != id) {
    throw error(errc::bad_signature,
                "jobs: read a step of job " + to_string(id) + ": it is " + about(owner, step.name));
  }
  step.json = as_text(in.binary());
  in.expect_end();
  return step;
}

std::string read_step(const wire::key_ring& keys, job_id id, std::string_view name, std::string_view kept) {
  named_step step = read_named_step(keys, id, kept);
  if (step.name != name) {
    throw error(errc::bad_signature, "jobs: read " + about(id, name) + ": it is " + about(id, step.name));
  }
  return std::move(step.json);
}

void throw_too_many_steps(job_id id) {
  throw error(errc::resource_exhausted, "jobs: keep a step of job " + to_string(id) + ": it has " +
                                            std::to_string(steps_max) + ", and no more are kept");
}

}  // namespace weft::inline v1::jobs
