#include <weft/jobs/limits.hpp>

#include <string>

#include <weft/core/error.hpp>

#include "jobs/limit_check.hpp"
#include "jobs/token_bucket.hpp"

namespace weft::inline v1::jobs {

void check_limit(const limit_options& limit, std::string_view doing) {
  if (limit.key.empty() || limit.key.size() > limit_key_bytes_max || limit.max < 1) {
    throw error(errc::invalid_argument, "jobs: " + std::string(doing) + ": its limit needs a key of 1 to " +
                                            std::to_string(limit_key_bytes_max) +
                                            " bytes and room for one job");
  }
  check_rate(limit.rate, doing);
}

void set_limit(store& in, const limit_options& limit) {
  check_limit(limit, "set a limit");
  in.set_limit(limit, true, in.clock().now());
}

bool release_limit(store& in, std::string_view key) { return in.release_limit(key); }

}  // namespace weft::inline v1::jobs
