#pragma once

#include <chrono>
#include <functional>
#include <random>
#include <type_traits>
#include <utility>

#include <weft/core/clock.hpp>

#include "jobs/postgres/link/connection_pool.hpp"

namespace weft::inline v1::jobs::postgres {

/// Calls functions of the schema: with a connection of the pool, and again where the server undid the call
/// because of others, or where it did not reach the server. What may have been done without our knowing it is
/// the caller's to settle: the error says so (database_error::is_in_doubt).
///
/// One loop, any of its fibers.
class caller {
 public:
  /// `patience`: so long it tries to reach the server.
  caller(connection_pool& pool, std::chrono::milliseconds patience) : pool_(pool), patience_(patience) {}

  /// Gives what `work(connection&)` gives: one call of a function, or a transaction as a whole.
  template <typename Work>
  auto run(Work&& work) -> std::invoke_result_t<Work&, connection&> {
    attempts tries(patience_);
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
    const steady_time until = deadline_after(patience_);
    for (;;) {
      try {
        return run(work);
      } catch (const database_error& failed) {
        if (!failed.is_in_doubt() || steady_clock::now() >= until) throw;
      }
    }
  }

  connection_pool& pool() const noexcept { return pool_; }

 private:
  class attempts {
   public:
    explicit attempts(std::chrono::milliseconds patience) : until_(deadline_after(patience)) {}
    steady_time until() const noexcept { return until_; }
    bool may_go_on(const database_error& failed);
    void pause();

   private:
    steady_time until_;
    int undone_ = 0;
    std::minstd_rand random_{std::random_device{}()};
  };

  connection_pool& pool_;
  std::chrono::milliseconds patience_;
};

}  // namespace weft::inline v1::jobs::postgres
