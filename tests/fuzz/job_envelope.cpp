// Stored jobs from outside: nobody without the key makes one that is accepted, and a signed body of any
// bytes is read or refused, never more.
#include <weft/core/error.hpp>
#include <weft/wire/envelope.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "fuzz/check.hpp"
#include "jobs/job_envelope.hpp"
#include "jobs/job_secrets.hpp"

namespace {

const weft::wire::key_ring& keys() {
  static const weft::wire::key_ring ring{weft::wire::key::generate("a")};
  return ring;
}

void refuse(std::string_view stored) {
  try {
    (void)weft::jobs::unseal(keys(), stored);
    fuzz_check(false, "a job that was not signed here is refused");
  } catch (const weft::error&) {
  }
}

// What can be read as a job is the same after it was sealed and read again, and its row is told from others.
void read(std::span<const std::byte> body) {
  weft::jobs::job_envelope job;
  try {
    job = weft::jobs::parse_job(body);
  } catch (const weft::error&) {
    return;
  }
  const std::string stored = weft::jobs::seal(keys(), job);
  const auto again = weft::jobs::unseal(keys(), stored);
  fuzz_check(again.arguments == job.arguments && again.context == job.context && again.expires == job.expires,
             "a job comes back as it was");
  fuzz_check(again.tenant == job.tenant && again.secrets.size() == job.secrets.size(), "with its secrets");
  weft::jobs::check_row(again, job.id, job.queue, job.closure);
  try {
    weft::jobs::reveal_secrets(job, &keys());
    fuzz_check(again.secrets.empty(), "a secret that was not encrypted here is refused");
  } catch (const weft::error&) {
  }
  refuse(std::string_view(stored).substr(1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span{data, size});
  refuse(weft::as_text(input));
  read(input);
  return 0;
}
