#include "jobs/postgres/caller.hpp"

#include <algorithm>
#include <cstdint>
#include <random>

#include <weft/fiber/fiber.hpp>

namespace weft::inline v1::jobs::postgres {
namespace {

constexpr int undone_max = 30;
constexpr std::chrono::milliseconds pause_max{50};

void pause_at_random(std::int64_t milliseconds_max) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const std::int64_t wait = std::uniform_int_distribution<std::int64_t>(1, milliseconds_max)(random);
  sleep_for(std::chrono::milliseconds(wait));
}

/// Is it no answer to what was asked, but may come later? The schema's own errors are answers.
bool is_no_answer(const error& failed) {
  const auto* const known = dynamic_cast<const database_error*>(&failed);
  return is_retryable(failed.code()) && (known == nullptr || !known->state().starts_with("WF"));
}

}  // namespace

bool caller::attempts::may_go_on(const database_error& failed) {
  if (failed.is_in_doubt()) return false;
  if (failed.is_run_again()) return ++undone_ <= undone_max;
  return failed.is_connection() && steady_clock::now() < until_;
}

void caller::attempts::pause() {
  // A random time: the two who were in each other's way shall not meet again.
  pause_at_random(std::min<std::int64_t>(2 + 2 * undone_, pause_max.count()));
}

/// After a try that failed: what is to be tried again. An error that the server answers is the call's own.
bool caller::leaves_in_doubt(const error& failed, bool& in_doubt) {
  const auto* const known = dynamic_cast<const database_error*>(&failed);
  if (known != nullptr && known->is_in_doubt()) {
    in_doubt = true;
    if (until_ == no_deadline) until_ = until();
    return true;
  }
  return in_doubt && is_no_answer(failed);
}

void caller::pause() const { pause_at_random(pause_max.count()); }

void caller::throw_in_doubt(const doubtful_call& call, const error& failed) const {
  std::string message = "jobs: ";
  message.append(call.tried).append(" in PostgreSQL (").append(pool_.where().shown());
  message.append("): the answer was lost, and the server did not tell within ");
  message.append(std::to_string(patience_.count())).append(" ms whether it was done; ").append(call.advice);
  throw database_error("", message.append(": ").append(failed.message()), true);
}

}  // namespace weft::inline v1::jobs::postgres
