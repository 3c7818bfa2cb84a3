#include "workers/pool.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/core/failure.hpp>
#include <weft/log/log.hpp>

#include "workers/compat/message.hpp"

namespace weft::workers::detail {

using weft::detail::wait_in;
using weft::detail::wait_outcome;
using weft::detail::waiter;

namespace {

// So that they are rethrown as what they are where they travel on, with a job's failure for example.
bool register_errors() {
  register_error<worker_died>("weft.workers.worker_died");
  register_error<call_timed_out>("weft.workers.call_timed_out");
  register_error<worker_exited>("weft.workers.worker_exited");
  register_error<start_failed>("weft.workers.start_failed");
  return true;
}

// Of a server over TCP that does not answer.
constexpr auto connect_in_advance_within = std::chrono::milliseconds(50);

// A small message into an idle connection: it is taken at once, or the worker is not fit.
bool tell_released(worker_link& link) noexcept {
  if (!link.wants_release) return true;
  try {
    if (link.messages) {
      const auto until = steady_clock::now();
      return shield([&] { return link.messages->write(compat::release_message, until) == stream_end::ok; });
    }
    bytes out;
    write_plain(out, frame_type::release, 0);
    return shield([&] { return link.stream.write(out, steady_clock::now()) == stream_end::ok; });
  } catch (...) {
    return false;
  }
}

client_options checked(client_options options) {
  if (options.max_workers == 0) {
    throw error(errc::invalid_argument, "workers: make a pool: max_workers is 0; it must be at least 1");
  }
  options.min_workers = std::min(options.min_workers, options.max_workers);
  return options;
}

std::string figures(const client_options& options, std::size_t alive, std::size_t waiting) {
  return std::to_string(alive) + " of at most " + std::to_string(options.max_workers) + " workers busy, " +
         std::to_string(waiting) + " calls in line";
}

}  // namespace

pool::pool(client_options options) : options_(checked(std::move(options))) {
  static const bool registered = register_errors();
  (void)registered;
  idle_.reserve(options_.max_workers);
  fill_up();
}

// Idle workers see the end of their connection; their fork server sees to it that they end.
pool::~pool() {
  for (worker_link* const one : idle_) delete one;
}

std::unique_ptr<worker_link> pool::take_idle() noexcept {
  if (idle_.empty()) return nullptr;
  std::unique_ptr<worker_link> link(idle_.back());
  idle_.pop_back();
  return link;
}

std::unique_ptr<worker_link> pool::acquire(steady_time until) {
  std::unique_lock lock(lock_);
  // Whoever comes while others wait goes behind them.
  while (line_.empty()) {
    auto link = take_idle();
    if (link == nullptr) break;
    lock.unlock();
    // A welcomed worker has nothing to say: anything else is its end.
    if (!link->welcomed || link->is_quiet()) return link;
    forget(std::move(link), true);
    lock.lock();
  }
  if (line_.empty() && alive_ < options_.max_workers) {
    ++alive_;
    lock.unlock();
    return start_one(until);
  }
  if (line_.size() >= options_.max_waiting) {
    const auto text = figures(options_, alive_, line_.size());
    lock.unlock();
    throw error(errc::resource_exhausted,
                "workers: call: the line is full (" + text + "); try again later, or raise max_waiting");
  }
  grant granted;
  waiter self;
  self.slot = &granted;
  const auto outcome = wait_in(line_, self, lock, until, "workers::checkout");
  if (outcome == wait_outcome::timed_out) {
    ++counts_.timeouts;
    const auto alive = alive_;
    const auto waiting = line_.size();
    lock.unlock();
    throw call_timed_out(
        "workers: call: no worker became free in time (" + figures(options_, alive, waiting) + ")", true);
  }
  lock.unlock();
  if (outcome == wait_outcome::cancelled) weft::detail::throw_cancelled("workers::checkout");
  if (granted.link != nullptr) return std::unique_ptr<worker_link>(granted.link);
  return start_one(until);
}

// The caller holds a place in alive_.
std::unique_ptr<worker_link> pool::start_one(steady_time until) {
  try {
    auto link = open_link(options_, until);
    const std::lock_guard lock(lock_);
    ++counts_.started;
    return link;
  } catch (...) {
    free_place();
    throw;
  }
}

void pool::finish(std::unique_ptr<worker_link> link) noexcept {
  ++link->checkouts;
  const bool worn_out = options_.max_checkouts != 0 && link->checkouts >= options_.max_checkouts;
  // The server turned out to be of weft: another connection to it will be the better one.
  const bool outdated = link->messages && link->messages->was_accepted();
  if (outdated) server_ = server_kind::native;
  const bool fit = link->welcomed && (!link->failed || options_.dont_refork_after_error);
  if (!fit || !tell_released(*link) || worn_out || outdated) {
    forget(std::move(link), false);
    return;
  }
  link->failed = false;
  put_back(std::move(link));
}

void pool::put_back(std::unique_ptr<worker_link> link) noexcept {
  link->connection.detach();
  const std::lock_guard lock(lock_);
  if (line_.empty()) {
    idle_.push_back(link.release());
    return;
  }
  static_cast<grant*>(line_.front()->slot)->link = link.release();
  line_.serve_front();
}

// A place in alive_ is handed to the front of the line, or given up.
void pool::free_place() noexcept {
  const std::lock_guard lock(lock_);
  if (line_.empty()) {
    --alive_;
  } else {
    line_.serve_front();
  }
}

void pool::forget(std::unique_ptr<worker_link> link, bool died) noexcept {
  link.reset();
  if (died) {
    const std::lock_guard lock(lock_);
    ++counts_.deaths;
  }
  free_place();
  fill_up();
}

// Starting is sending a message, or a few milliseconds where workers are new processes. What goes
// wrong here will go wrong again for a caller, who gets the error.
void pool::fill_up() noexcept {
  while (true) {
    {
      const std::lock_guard lock(lock_);
      if (alive_ >= options_.min_workers) return;
      ++alive_;
    }
    try {
      put_back(start_one(deadline_after(connect_in_advance_within)));
    } catch (const std::exception& failed) {
      log::warn("workers: a worker could not be started in advance", {{"error", failed.what()}});
      return;
    } catch (...) {
      return;
    }
  }
}

void pool::count_call() noexcept {
  const std::lock_guard lock(lock_);
  ++counts_.calls;
}

void pool::count_timeout() noexcept {
  const std::lock_guard lock(lock_);
  ++counts_.timeouts;
}

client_statistics pool::statistics() const {
  const std::lock_guard lock(lock_);
  client_statistics now = counts_;
  now.alive = alive_;
  now.busy = alive_ - idle_.size();
  now.waiting = line_.size();
  return now;
}

}  // namespace weft::workers::detail
