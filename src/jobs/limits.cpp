#include <weft/jobs/limits.hpp>

#include <algorithm>
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

bool release_limit(store& in, std::string_view key) {
  constexpr std::size_t read_at_once = 500;
  std::string after;
  for (;;) {
    const auto page = in.limits(after, read_at_once);
    const auto found = std::ranges::find(page, key, [](const stored_limit& one) { return one.is.key; });
    if (found != page.end()) {
      if (found->pinned) in.set_limit(found->is, false, in.clock().now());
      return found->pinned;
    }
    if (page.size() < read_at_once) return false;
    after = page.back().is.key;
  }
}

}  // namespace weft::inline v1::jobs
