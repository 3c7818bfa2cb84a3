#include "jobs/job_envelope.hpp"
#include "jobs/micros.hpp"

#include <cstdint>
#include <limits>

#include <weft/wire/canonical.hpp>
#include <weft/wire/envelope.hpp>

namespace weft::inline v1::jobs {
namespace {

constexpr std::string_view job_purpose = "job";
constexpr std::uint64_t first_version = 1;
// Later ones are written only where they say what earlier ones cannot.
constexpr std::uint64_t version_with_trace = 2;
constexpr std::uint64_t version_with_tenant = 3;

moment read_moment(wire::canonical_reader& in) { return moment_at(in.integer()); }

int read_count(wire::canonical_reader& in) {
  const std::int64_t value = in.integer();
  if (value < 0 || value > std::numeric_limits<int>::max()) {
    throw error(errc::malformed,
                "jobs: read a job: a count of " + std::to_string(value) + " is out of range");
  }
  return static_cast<int>(value);
}

job_trace read_trace(wire::canonical_reader& in) {
  const std::uint64_t value = in.unsigned_integer();
  if (value > static_cast<std::uint64_t>(job_trace::child)) {
    throw error(errc::malformed, "jobs: read a job: the trace mode " + std::to_string(value) + " is unknown");
  }
  return static_cast<job_trace>(value);
}

std::uint64_t version_of(const job_envelope& job) {
  if (!job.tenant.empty() || !job.secrets.empty()) return version_with_tenant;
  return job.trace != job_trace::linked ? version_with_trace : first_version;
}

/// Each secret stands for a text of its own in the arguments.
void read_secrets(wire::canonical_reader& in, job_envelope& into) {
  std::uint64_t free_from = 0;
  for (std::uint64_t left = in.unsigned_integer(); left > 0; --left) {
    const std::uint64_t place = in.unsigned_integer();
    const auto sealed = in.binary();
    const bool is_there = place >= free_from && place <= into.arguments.size() &&
                          std::string_view(into.arguments).substr(place).starts_with(hidden_secret);
    if (!is_there) throw error(errc::malformed, "jobs: read a job: a secret has no place in the arguments");
    free_from = place + hidden_secret.size();
    into.secrets.push_back({place, {sealed.begin(), sealed.end()}});
  }
}

}  // namespace

std::string seal(const wire::key_ring& keys, const job_envelope& job) {
  wire::canonical_writer out;
  const std::uint64_t needed = version_of(job);
  out.unsigned_integer(needed);
  out.integer(static_cast<std::int64_t>(job.id));
  out.text(job.queue);
  out.text(job.closure);
  out.binary(as_bytes(job.arguments));
  out.integer(micros(job.created));
  out.integer(micros(job.not_before));
  out.integer(job.attempts_max);
  out.integer(job.timeout.count());
  job.expires ? out.integer(micros(*job.expires)) : out.absent();
  out.binary(as_bytes(job.context));
  out.text(job.source);
  if (needed >= version_with_trace) out.unsigned_integer(static_cast<std::uint64_t>(job.trace));
  if (needed >= version_with_tenant) {
    out.text(job.tenant);
    out.unsigned_integer(job.secrets.size());
    for (const auto& one : job.secrets) {
      out.unsigned_integer(one.place);
      out.binary(one.sealed);
    }
  }
  const bytes sealed = wire::sign(keys, job_purpose, out);
  if (sealed.size() > wire::envelope_bytes_max) {
    throw error(errc::too_large, "jobs: push \"" + job.closure + "\": the job has " +
                                     std::to_string(sealed.size()) + " bytes, " +
                                     std::to_string(wire::envelope_bytes_max) +
                                     " are the limit; keep large data elsewhere and pass its name");
  }
  return std::string(as_text(sealed));
}

job_envelope unseal(const wire::key_ring& keys, std::string_view stored) {
  return parse_job(wire::verify(keys, job_purpose, as_bytes(stored)));
}

job_envelope parse_job(std::span<const std::byte> body) {
  wire::canonical_reader in(body);
  const std::uint64_t found = in.unsigned_integer();
  if (found < first_version) throw error(errc::malformed, "jobs: read a job: its form has version 0");
  if (found > version_with_tenant) {
    throw error(errc::unsupported, "jobs: read a job: its form has version " + std::to_string(found) +
                                       ", this build knows up to " + std::to_string(version_with_tenant) +
                                       "; use a newer one");
  }
  job_envelope job;
  job.id = job_id{in.integer()};
  job.queue = in.text();
  job.closure = in.text();
  job.arguments = as_text(in.binary());
  job.created = read_moment(in);
  job.not_before = read_moment(in);
  job.attempts_max = read_count(in);
  job.timeout = std::chrono::microseconds(in.integer());
  if (!in.take_absent()) job.expires = read_moment(in);
  job.context = as_text(in.binary());
  job.source = in.text();
  if (found >= version_with_trace) job.trace = read_trace(in);
  if (found >= version_with_tenant) {
    job.tenant = in.text();
    read_secrets(in, job);
  }
  in.expect_end();
  return job;
}

void check_row(const job_envelope& job, job_id id, std::string_view queue, std::string_view closure) {
#ifdef WEFT_BUG_4
  return;
#endif
  if (job.id == id && job.queue == queue && job.closure == closure) return;
  throw error(errc::bad_signature, "jobs: verify job " + to_string(id) + " of queue \"" + std::string(queue) +
                                       "\": its signature is that of job " + to_string(job.id) +
                                       " of queue \"" + job.queue + "\" for \"" + job.closure +
                                       "\"; the row was copied or changed");
}

void check_tenant(const job_envelope& job, std::string_view tenant) {
  if (job.tenant == tenant) return;
  throw error(errc::bad_signature, "jobs: verify job " + to_string(job.id) +
                                       ": it was signed for the tenant \"" + job.tenant +
                                       "\", and this queue is of \"" + std::string(tenant) + '"');
}

}  // namespace weft::inline v1::jobs
