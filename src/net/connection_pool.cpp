#include <weft/net/connection_pool.hpp>

#include <algorithm>
#include <utility>

#include <weft/context/context.hpp>
#include <weft/core/error.hpp>
#include <weft/core/task_block.hpp>

namespace weft::inline v1::net::detail {

namespace {

// 0 is no bound.
bool is_over(steady_time since, steady_time now, std::chrono::milliseconds bound) noexcept {
  return bound.count() > 0 && now - since >= bound;
}

steady_time end_of(steady_time since, std::chrono::milliseconds bound) noexcept {
  return bound.count() > 0 && bound < no_deadline - since ? since + bound : no_deadline;
}

pool_options checked(pool_options options) {
  if (options.connections_max == 0)
    throw error(errc::invalid_argument, options.name + ": connections_max is at least 1");
  return options;
}

}  // namespace

void throw_made_nothing() {
  throw error(errc::misuse, "connection_pool: the function that makes connections gave none");
}

pool_core::pool_core(pool_options options)
    : options_(checked(std::move(options))), places_(options_.connections_max) {}

void pool_core::throw_closed() const { throw error(errc::closed, options_.name + ": the pool is closed"); }

// close() gives a place more than there are; each that waits hands it to the one behind.
void pool_core::take_place(steady_time until) {
  if (is_closed()) throw_closed();
  if (!places_.try_acquire_until(until)) {
    throw error(errc::timed_out,
                options_.name + ": all " + std::to_string(options_.connections_max) + " are in use");
  }
  if (!is_closed()) return;
  places_.release();
  throw_closed();
}

void pool_core::give_place_back() noexcept { places_.release(); }

bool pool_core::is_closed() const noexcept {
  const std::lock_guard lock(mutex);
  return closed;
}

void pool_core::close() noexcept {
  timer look;
  {
    const std::lock_guard lock(mutex);
    if (closed) return;
    closed = true;
    look = std::move(look_);
  }
  look.cancel();
  look.detach();  // what it calls keeps what it needs
  places_.release();
}

bool pool_core::is_too_old(steady_time made, steady_time now) const noexcept {
  return is_over(made, now, options_.life_max);
}
bool pool_core::is_idle_too_long(steady_time since, steady_time now) const noexcept {
  return is_over(since, now, options_.idle_max);
}
bool pool_core::needs_check(steady_time since, steady_time now) const noexcept {
  return now - since >= options_.check_after;
}

steady_time pool_core::over_at(steady_time made, steady_time since) const noexcept {
  return std::min(end_of(made, options_.life_max), end_of(since, options_.idle_max));
}

// One that is overdue may have gone with the run that it was in; if not, two are no harm.
bool pool_core::wants_look(steady_time due, steady_time now) const noexcept {
  return !closed && due < no_deadline && (due < looks_at_ || looks_at_ < now);
}

void pool_core::look_at(steady_time due, std::function<void()> look) noexcept {
  if (!weft::detail::task_block::current().is_fiber()) return;
  timer unwanted;
  try {
    const steady_time now = steady_clock::now();
    timer made = after(due - now, std::move(look), {.keeps_run = false, .context = context()});
    const std::lock_guard lock(mutex);
    if (wants_look(due, now)) {
      looks_at_ = due;
      unwanted = std::exchange(look_, std::move(made));
    } else {
      unwanted = std::move(made);
      unwanted.cancel();
    }
  } catch (const std::exception&) {  // no memory, or the run ends: the next use of the pool looks
  }
  unwanted.detach();  // one that runs goes on
}

void pool_core::looks() noexcept {
  const std::lock_guard lock(mutex);
  looks_at_ = no_deadline;
}

pool_statistics pool_core::statistics() const {
  const std::lock_guard lock(mutex);
  pool_statistics now = counts;
  now.waiting = places_.waiting();
  const std::size_t places = options_.connections_max + (closed ? 1 : 0);
  now.leased = places - std::min(places, places_.available());
  return now;
}

}  // namespace weft::inline v1::net::detail
