#include "jobs/postgres/caller.hpp"

#include <algorithm>
#include <cstdint>

#include <weft/fiber/fiber.hpp>

namespace weft::inline v1::jobs::postgres {
namespace {

constexpr int undone_max = 30;
constexpr std::chrono::milliseconds pause_max{50};

}  // namespace

bool caller::attempts::may_go_on(const database_error& failed) {
  if (failed.is_in_doubt()) return false;
  if (failed.is_run_again()) return ++undone_ <= undone_max;
  return failed.is_connection() && steady_clock::now() < until_;
}

void caller::attempts::pause() {
  // A random time: the two who were in each other's way shall not meet again.
  const std::int64_t most = std::min<std::int64_t>(2 + 2 * undone_, pause_max.count());
  sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(1, most)(random_)));
}

}  // namespace weft::inline v1::jobs::postgres
