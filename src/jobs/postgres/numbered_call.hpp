#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "jobs/postgres/caller.hpp"

// A transaction has a number, by which the server tells whether it was committed. So a call whose answer is
// there before its COMMIT is sent, on its own, is known to be done or not, whichever answer is lost. That is
// a round trip more, for calls that people make; those that come by thousands find out in other ways.

namespace weft::inline v1::jobs::postgres {

/// For the beginning of a transaction: gives its number, as text.
inline constexpr const char* transaction_number = "SELECT pg_current_xact_id()::text";

/// Was that transaction committed? Of one whose COMMIT was sent and not answered. Throws database_error (in
/// doubt) where the server does not tell, or its session lives on, until the patience is over; weft::error
/// (unavailable) where the server does not know any more.
bool has_committed(caller& by, const std::string& number, const doubtful_call& call);

/// Begins a transaction; its number, and the answer of a first statement. Not in doubt where it is lost: then
/// there is none.
std::pair<std::string, result> begin_numbered(connection& on, const statement& first);

/// Runs one statement as a transaction, and gives what `read(result)` makes of its answer. Done once, and the
/// answer is that of the call that was done.
template <typename Call, typename Read>
auto run_numbered(caller& by, Call&& call, std::string_view sql, const parameters& with, Read&& read)
    -> std::invoke_result_t<Read&, const result&> {
  struct transaction {
    std::string number;
    std::invoke_result_t<Read&, const result&> answer;
  };
  std::optional<transaction> open;  // whose COMMIT was sent
  const auto once = [&](caller& own, bool& in_doubt) {
    if (in_doubt && open && has_committed(own, open->number, call())) return open->answer;
    in_doubt = false;
    own.run([&](connection& on) {
      auto [number, rows] = begin_numbered(on, {sql, &with});
      open = transaction{std::move(number), read(rows)};
      on.run("COMMIT");
    });
    return open->answer;
  };
  return by.run_until_known(call, once);
}

}  // namespace weft::inline v1::jobs::postgres
