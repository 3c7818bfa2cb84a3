#include "jobs/postgres/numbered_call.hpp"

#include <algorithm>
#include <array>

#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>

#include "jobs/postgres/link/back_off.hpp"

namespace weft::inline v1::jobs::postgres {

bool has_committed(caller& by, const std::string& number, const doubtful_call& call) {
  parameters with;
  with.untyped(number);
  const steady_time until = by.until();
  back_off pause;
  for (;;) {
    const auto state = by.run_idempotent([&](connection& on) {
      return std::string(on.run("SELECT coalesce(pg_xact_status($1::xid8), 'unknown')", with).text(0, 0));
    });
    if (state == "committed") return true;
    if (state == "aborted") return false;
    if (state == "unknown") {
      throw error(errc::unavailable, "jobs: " + call.tried +
                                         ": the connection was lost at the end of the transaction, and the "
                                         "server does not know any more whether it was committed; " +
                                         std::string(call.advice));
    }
    if (steady_clock::now() >= until) {
      throw database_error("", "jobs: " + call.tried + ": its session has not ended yet", true);
    }
    sleep_until(std::min(until, deadline_after(pause.next())));
  }
}

std::pair<std::string, result> begin_numbered(connection& on, const statement& first) {
  const std::array all{statement{"BEGIN"}, statement{transaction_number}, first};
  try {
    auto answers = on.run_all(all);
    return {std::string(answers[1].text(0, 0)), std::move(answers[2])};
  } catch (const database_error& failed) {
    if (!failed.is_in_doubt()) throw;
    throw database_error("", failed.message());
  }
}

}  // namespace weft::inline v1::jobs::postgres
