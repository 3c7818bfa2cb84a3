#include "workers/pool.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/core/failure.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/log/log.hpp>

#include "workers/compat/message.hpp"

namespace weft::inline v1::workers::detail {

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
    return shield([&] { return link.channel->send(std::move(out), steady_clock::now()) == stream_end::ok; });
  } catch (...) {
    return false;
  }
}

// Where it cannot be told, its next use shows that.
void tell_spare(worker_link& link, std::chrono::nanoseconds ends_after) noexcept {
  if (!link.channel) return;
  try {
    bytes out;
    write_rest(out, ends_after);
    shield([&] { (void)link.channel->send(std::move(out), steady_clock::now()); });
  } catch (...) {
    link.over = true;
  }
}

client_options checked(client_options options) {
  if (options.max_workers == 0) {
    throw error(errc::invalid_argument, "workers: make a pool: max_workers is 0; it must be at least 1");
  }
  if (options.keys != nullptr &&
      (options.connect.empty() || options.protocol == protocol_choice::compatible)) {
    throw error(
        errc::invalid_argument,
        "workers: make a pool: keys are for a server that speaks the native protocol; set connect, and "
        "leave protocol as it is");
  }
  if (options.keys != nullptr) options.protocol = protocol_choice::native;
  options.min_workers = std::min(options.min_workers, options.max_workers);
  return options;
}

}  // namespace

pool::pool(client_options options) : options_(checked(std::move(options))), crashes_(options_.restarts) {
  static const bool registered = register_errors();
  (void)registered;
  idle_.reserve(options_.max_workers);
  fill_up();
}

std::shared_ptr<worker_link> pool::take_idle() noexcept {
  if (idle_.empty()) return nullptr;
  auto link = std::move(idle_.back());
  idle_.pop_back();
  return link;
}

std::string pool::figures(std::unique_lock<weft::detail::spin_lock>& lock) const {
  const auto alive = alive_;
  const auto waiting = line_.size();
  lock.unlock();
  return std::to_string(alive) + " of at most " + std::to_string(options_.max_workers) + " workers busy, " +
         std::to_string(waiting) + " calls in line";
}

std::shared_ptr<worker_link> pool::acquire(steady_time until) {
  std::unique_lock lock(lock_);
  // Whoever comes while others wait goes behind them.
  while (line_.empty()) {
    auto link = take_idle();
    if (link == nullptr) break;
    lock.unlock();
    // A welcomed worker has nothing to say: anything else is its end.
    if (!link->welcomed || link->is_quiet()) return link;
    const auto why = link->has_said_goodbye() ? loss::went_idle : loss::died;
    link.reset();
    forget(why);
    lock.lock();
  }
  if (line_.empty() && alive_ < options_.max_workers) {
    ++alive_;
    lock.unlock();
    return start_one(until);
  }
  if (line_.size() >= options_.max_waiting) {
    throw error(errc::resource_exhausted, "workers: call: the line is full (" + figures(lock) +
                                              "); try again later, or raise max_waiting");
  }
  grant granted;
  waiter self;
  self.slot = &granted;
  const auto outcome = wait_in(line_, self, lock, until, "workers::checkout");
  if (outcome == wait_outcome::timed_out) {
    ++counts_.timeouts;
    throw call_timed_out("workers: call: no worker became free in time (" + figures(lock) + ")", true);
  }
  lock.unlock();
  if (outcome == wait_outcome::cancelled) weft::detail::throw_cancelled("workers::checkout");
  if (granted.link != nullptr) return std::move(granted.link);
  return start_one(until);
}

// The caller holds a place in alive_.
std::shared_ptr<worker_link> pool::start_one(steady_time until) {
  try {
    wait_out_crash_loop(until);
    auto link = open_link(options_, until);
    const std::lock_guard lock(lock_);
    ++counts_.started;
    return link;
  } catch (...) {
    const std::lock_guard lock(lock_);
    free_place();
    throw;
  }
}

// Whoever came first waits with the right to start one, and all others behind him.
void pool::wait_out_crash_loop(steady_time until) {
  steady_time resumes{};
  {
    const std::lock_guard lock(lock_);
    resumes = crashes_.resumes_at();
  }
  if (resumes <= steady_clock::now()) return;
  weft::sleep_until(std::min(resumes, until));
  if (resumes <= until) return;
  count_timeout();
  throw call_timed_out(
      "workers: call: no worker was started in time, as too many of them died; see their errors", true);
}

// For another checkout, after this one.
bool pool::is_fit(const worker_link& link) const noexcept {
  if (!link.welcomed || link.over || (link.failed && !options_.dont_refork_after_error)) return false;
  return !link.channel || (link.channel->unanswered() == 0 && !link.channel->said_goodbye());
}

void pool::finish(std::shared_ptr<worker_link> link) noexcept {
  ++link->checkouts;
  const bool worn_out = options_.max_checkouts != 0 && link->checkouts >= options_.max_checkouts;
  // The server turned out to be of weft: another connection to it will be the better one.
  const bool outdated = link->messages && link->messages->was_accepted();
  if (outdated) server_ = server_kind::native;
  if (!is_fit(*link) || !tell_released(*link) || worn_out || outdated) {
    // Its function has not stopped; the place is another's only after its end.
    if (link->channel && link->channel->unanswered() != 0) end_process(*link, options_, {});
    link.reset();
    forget(loss::replaced);
    return;
  }
  link->failed = false;
  put_back(std::move(link));
}

void pool::put_back(std::shared_ptr<worker_link> link) noexcept {
  link->idle_since = steady_clock::now();
  std::unique_lock lock(lock_);
  if (line_.empty() && is_spare()) {
    lock.unlock();
    tell_spare(*link, options_.idle_timeout);
    lock.lock();
  }
  if (line_.empty()) {
    const auto overdue = take_overdue(link->idle_since);
    idle_.push_back(std::move(link));
    lock.unlock();
    return;
  }
  static_cast<grant*>(line_.front()->slot)->link = std::move(link);
  line_.serve_front();
}

void pool::free_place() noexcept {
  if (line_.empty()) {
    --alive_;
  } else {
    line_.serve_front();
  }
}

void pool::forget(loss why) noexcept {
  const auto now = steady_clock::now();
  std::unique_lock lock(lock_);
  if (why == loss::died) ++counts_.deaths;
  if (why == loss::went_idle) ++counts_.shrunk;
  const bool pauses = why == loss::died && crashes_.died(now);
  const auto resumes = crashes_.resumes_at();
  free_place();
  lock.unlock();
  if (pauses) {
    log::error("workers: too many workers die; no other one is started for a while",
               {{"pool", options_.name},
                {"pause_ms", std::chrono::ceil<std::chrono::milliseconds>(resumes - now).count()}});
  }
  fill_up();
}

// Under lock_. The latest one is used again first, so the others come to rest.
bool pool::is_spare() const noexcept {
  return options_.idle_timeout.count() > 0 && idle_.size() >= options_.min_workers;
}

// A worker of weft ends by itself; one of another kind has to be left. One at a time, as one comes at a time.
std::shared_ptr<worker_link> pool::take_overdue(steady_time now) noexcept {
  if (options_.idle_timeout.count() <= 0 || idle_.empty() || alive_ <= options_.min_workers ||
      idle_.front()->idle_since + options_.idle_timeout > now) {
    return nullptr;
  }
  auto overdue = std::move(idle_.front());
  idle_.erase(idle_.begin());
  --alive_;
  ++counts_.shrunk;
  return overdue;
}

// Starting is sending a message, or a few milliseconds where workers are new processes. What goes
// wrong here will go wrong again for a caller, who gets the error.
void pool::fill_up() noexcept {
  while (true) {
    {
      const std::lock_guard lock(lock_);
      if (alive_ >= options_.min_workers || crashes_.is_pausing(steady_clock::now())) return;
      ++alive_;
    }
    try {
      shield([&] { put_back(start_one(deadline_after(connect_in_advance_within))); });
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
  now.crash_loop = crashes_.is_pausing(steady_clock::now());
  return now;
}

}  // namespace weft::inline v1::workers::detail
