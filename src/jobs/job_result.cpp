#include "jobs/job_result.hpp"

#include <weft/codec/bytes.hpp>
#include <weft/log/log.hpp>
#include <weft/wire/canonical.hpp>
#include <weft/wire/envelope.hpp>

namespace weft::inline v1::jobs {
namespace {

constexpr std::string_view result_purpose = "job result";
constexpr std::uint64_t result_version = 1;

}  // namespace

std::optional<std::string> result_to_store(const wire::key_ring& keys, job_id id, std::string_view json) {
  if (json.empty() || json == "null") return std::nullopt;
  wire::canonical_writer out;
  out.unsigned_integer(result_version);
  out.integer(static_cast<std::int64_t>(id));
  out.binary(as_bytes(json));
  const bytes sealed = wire::sign(keys, result_purpose, out);
  if (sealed.size() <= wire::envelope_bytes_max) return std::string(as_text(sealed));
  log::error("jobs: the result of a job is too large to be kept; keep it elsewhere and return its name",
             {{"job", to_string(id)}, {"bytes", json.size()}, {"limit", wire::envelope_bytes_max}});
  return std::nullopt;
}

std::string read_result(const wire::key_ring& keys, job_id id, std::string_view kept) {
  const bytes body = wire::verify(keys, result_purpose, as_bytes(kept));
  wire::canonical_reader in(body);
  const std::uint64_t found = in.unsigned_integer();
  if (found != result_version) {
    throw error(errc::malformed, "jobs: read the result of job " + to_string(id) + ": its form has version " +
                                     std::to_string(found) + ", this build knows " +
                                     std::to_string(result_version));
  }
  const job_id owner{in.integer()};
  if (owner != id) {
    throw error(errc::bad_signature,
                "jobs: read the result of job " + to_string(id) + ": it is that of job " + to_string(owner));
  }
  std::string json(as_text(in.binary()));
  in.expect_end();
  return json;
}

}  // namespace weft::inline v1::jobs
