#include "jobs/postgres/link/connection_pool.hpp"

#include <algorithm>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>

#include "jobs/postgres/link/back_off.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

constexpr std::chrono::seconds rollback_bound{5};

/// May the server take a connection later that it, or the way to it, refuses now?
bool may_come_back(const database_error& failed) {
  return failed.is_connection() || failed.state() == "53300";  // too many connections
}

}  // namespace

connection_pool::connection_pool(address to, pool_options options)
    : to_(std::move(to)), connections_max_(options.connections_max), places_(options.connections_max) {}

connection_pool::lease_of_connection::~lease_of_connection() {
  if (pool_ == nullptr) return;
  if (held_->is_open() && held_->is_in_transaction()) {
    try {
      shield([&] { move_on_after(rollback_bound, [&] { held_->run("ROLLBACK"); }); });
    } catch (const error&) {  // its session is closed then, or in a failed transaction still
    }
    if (held_->is_open() && held_->is_in_transaction()) held_->close();
  }
  pool_->give_back(std::move(held_));
}

connection_pool::lease_of_connection connection_pool::lease(steady_time until) {
  if (!places_.try_acquire_until(until)) {
    throw error(errc::timed_out, "jobs: PostgreSQL (" + to_.shown() + "): all " +
                                     std::to_string(connections_max_) + " connections are in use");
  }
  try {
    auto one = take_idle();
    if (one == nullptr) one = make(until);
    return {*this, std::move(one)};
  } catch (...) {
    places_.release();
    throw;
  }
}

std::unique_ptr<connection> connection_pool::take_idle() {
  for (;;) {
    std::unique_ptr<connection> one;
    {
      const std::lock_guard lock(mutex_);
      if (idle_.empty()) return nullptr;
      one = std::move(idle_.back());
      idle_.pop_back();
    }
    if (one->is_alive()) return one;
  }
}

std::unique_ptr<connection> connection_pool::make(steady_time until) {
  back_off pause;
  for (;;) {
    try {
      return connection::open(to_);
    } catch (const database_error& failed) {
      if (!may_come_back(failed) || steady_clock::now() >= until) throw;
    }
    sleep_until(std::min(until, deadline_after(pause.next())));
  }
}

void connection_pool::give_back(std::unique_ptr<connection> one) noexcept {
  if (one->is_open()) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(one));
  }
  one.reset();
  places_.release();
}

void connection_pool::close_idle() noexcept {
  std::deque<std::unique_ptr<connection>> all;
  const std::lock_guard lock(mutex_);
  all.swap(idle_);
}

}  // namespace weft::inline v1::jobs::postgres
