#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include <weft/core/clock.hpp>
#include <weft/fiber/semaphore.hpp>

#include "jobs/postgres/link/connection.hpp"

namespace weft::inline v1::jobs::postgres {

struct pool_options {
  std::size_t connections_max = 4;
};

/// A few sessions with one database, made when they are needed, each lent to one task at a time.
///
/// lease() gives the one used last, once it was seen to be alive; a dead one is replaced. Where the server
/// cannot be reached, it tries again, after longer and longer times with a random part, until its bound.
///
/// Thread-safety: any task of the loop that the connections are used on. Outlives its leases.
class connection_pool {
 public:
  explicit connection_pool(address to, pool_options options = {});
  connection_pool(const connection_pool&) = delete;
  connection_pool& operator=(const connection_pool&) = delete;

  class [[nodiscard]] lease_of_connection {
   public:
    lease_of_connection(lease_of_connection&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), held_(std::move(other.held_)) {}
    lease_of_connection& operator=(lease_of_connection&&) = delete;
    /// Gives it back. An open transaction is undone; the session is closed where that takes long.
    ~lease_of_connection();
    connection& operator*() const noexcept { return *held_; }
    connection* operator->() const noexcept { return held_.get(); }

   private:
    friend class connection_pool;
    lease_of_connection(connection_pool& pool, std::unique_ptr<connection> held) noexcept
        : pool_(&pool), held_(std::move(held)) {}
    connection_pool* pool_;
    std::unique_ptr<connection> held_;
  };

  /// Waits until there is one; a cancellation point. Past `until` throws the database_error of the last try,
  /// or weft::error (timed_out) where others have all connections. What a later try would not change (a wrong
  /// password, no such database) is thrown at once.
  lease_of_connection lease(steady_time until);
  /// Closes those that nobody has.
  void close_idle() noexcept;
  const address& where() const noexcept { return to_; }

 private:
  std::unique_ptr<connection> take_idle();
  std::unique_ptr<connection> make(steady_time until);
  void give_back(std::unique_ptr<connection> one) noexcept;

  const address to_;
  const std::size_t connections_max_;
  semaphore places_;
  std::mutex mutex_;
  std::deque<std::unique_ptr<connection>> idle_;  // guarded by mutex_; the one used last is behind
};

}  // namespace weft::inline v1::jobs::postgres
