#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>

#include "jobs/postgres/link/connection_pool.hpp"

namespace weft::inline v1::jobs::postgres {

/// Of a call that may not simply be made again, for the error that says it is in doubt.
struct doubtful_call {
  std::string tried;        ///< "cancel job 7"
  std::string_view advice;  ///< what to do, once the server answers
};

/// Calls functions of the schema: with a connection of the pool, and again where the server undid the call
/// because of others, or where it did not reach the server. What may have been done without our knowing it,
/// as the answer was lost, is in doubt (database_error::is_in_doubt): then it depends on the call.
///
/// One loop, any of its fibers.
class caller {
 public:
  /// `patience`: so long it tries to reach the server; and so long, from the first answer that was lost, it
  /// tries to learn what became of that call.
  caller(connection_pool& pool, std::chrono::milliseconds patience) : pool_(pool), patience_(patience) {}

  /// Gives what `work(connection&)` gives: one call of a function, or a transaction as a whole.
  template <typename Work>
  auto run(Work&& work) -> std::invoke_result_t<Work&, connection&> {
    attempts tries(until());
    for (;;) {
      try {
        const auto held = pool_.lease(tries.until());
        return std::invoke(work, *held);
      } catch (const database_error& failed) {
        if (!tries.may_go_on(failed)) throw;
      }
      tries.pause();
    }
  }

  /// For what does no harm twice: also where it is in doubt.
  template <typename Work>
  auto run_idempotent(Work&& work) -> std::invoke_result_t<Work&, connection&> {
    return settle(
        false, [&](caller& by, bool) { return by.run(work); }, [](const error&) {});
  }

  /// For all else: gives what `once(by, in_doubt)` gives, which makes the call through `by`. After an answer
  /// that was lost it is called again, with `in_doubt`: the call may have been done, so it finds out, or
  /// takes that into account. It sets `in_doubt` to false (a reference) where it has seen that nothing was
  /// done. `call()` gives a doubtful_call. Still in doubt when the patience is over, throws the
  /// database_error that says so; `was_in_doubt`: the same call ended so before.
  template <typename Call, typename Once>
  auto run_until_known(Call&& call, Once&& once, bool was_in_doubt = false)
      -> std::invoke_result_t<Once&, caller&, bool&> {
    return settle(was_in_doubt, once, [&](const error& failed) { throw_in_doubt(call(), failed); });
  }

  /// When its patience, which begins now, is over.
  steady_time until() const { return std::min(until_, deadline_after(patience_)); }
  connection_pool& pool() const noexcept { return pool_; }

 private:
  class attempts {
   public:
    explicit attempts(steady_time until) : until_(until) {}
    steady_time until() const noexcept { return until_; }
    bool may_go_on(const database_error& failed);
    void pause();

   private:
    steady_time until_;
    int undone_ = 0;
  };

  /// `give_up(failed)` where it is still in doubt when the patience is over; then what failed is thrown.
  template <typename Once, typename GiveUp>
  auto settle(bool in_doubt, Once&& once, GiveUp give_up) -> std::invoke_result_t<Once&, caller&, bool&> {
    caller by = *this;
    if (in_doubt) by.until_ = until();
    for (;;) {
      try {
        return std::invoke(once, by, in_doubt);
      } catch (const error& failed) {
        if (!by.leaves_in_doubt(failed, in_doubt)) throw;
        if (steady_clock::now() >= by.until_) {
          give_up(failed);
          throw;
        }
      }
      by.pause();
    }
  }
  bool leaves_in_doubt(const error& failed, bool& in_doubt);
  void pause() const;
  [[noreturn]] void throw_in_doubt(const doubtful_call& call, const error& failed) const;

  connection_pool& pool_;
  std::chrono::milliseconds patience_;
  steady_time until_ = no_deadline;  // of the whole, once it is in doubt
};

}  // namespace weft::inline v1::jobs::postgres
