#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weft/codec/bytes.hpp>
#include <weft/jobs/job.hpp>
#include <weft/wire/key_ring.hpp>

namespace weft::inline v1::jobs {

/// What stands in the arguments' text in place of a secret.
inline constexpr std::string_view hidden_secret = "\"(secret)\"";

/// An argument that is encrypted.
struct hidden_argument {
  std::uint64_t place = 0;  ///< of its hidden_secret in the text of the arguments
  bytes sealed;             ///< wire::encrypt
};

/// What is signed with a job and cannot be changed afterwards; docs/formats/job.md.
struct job_envelope {
  job_id id{};
  std::string queue;
  std::string closure;    ///< identity, with the schema of the arguments
  std::string arguments;  ///< a JSON list
  moment created{};
  moment not_before{};
  int attempts_max = 1;
  std::chrono::microseconds timeout{0};  ///< of an attempt; 0: none
  std::optional<moment> expires;
  std::string context;  ///< wire form of the captured context
  std::string source;   ///< where the closure was written; for people
  job_trace trace = job_trace::linked;
  std::string tenant;                    ///< queue_options::tenant
  std::vector<hidden_argument> secrets;  ///< by place
};

/// A job as it is stored: all of it signed with the ring's first key.
std::string seal(const wire::key_ring& keys, const job_envelope& job);

/// The job behind stored bytes, once their signature was found right. Throws weft::error: what
/// wire::verify throws, or malformed for a signed body of another version or form.
job_envelope unseal(const wire::key_ring& keys, std::string_view stored);

/// The same for a body whose signature was checked, or does not matter.
job_envelope parse_job(std::span<const std::byte> body);

/// Throws weft::error (bad_signature) unless the row that held the envelope is the one it was made for.
void check_row(const job_envelope& job, job_id id, std::string_view queue, std::string_view closure);

/// The same unless it was made for that tenant.
void check_tenant(const job_envelope& job, std::string_view tenant);

}  // namespace weft::inline v1::jobs
