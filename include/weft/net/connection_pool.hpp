#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include <weft/core/clock.hpp>
#include <weft/fiber/semaphore.hpp>
#include <weft/fiber/timer.hpp>

namespace weft::inline v1::net {

/// The bounds of a connection_pool; 0 of a time: none.
struct pool_options {
  std::string name = "connections";           ///< for errors
  std::size_t connections_max = 64;           ///< open at once
  std::chrono::milliseconds idle_max{60000};  ///< unused for longer, it is closed
  std::chrono::milliseconds life_max{0};  ///< older than that, it is closed when it comes back or is unused
  std::chrono::milliseconds check_after{1000};  ///< unused for longer, it is checked before it is handed out
};

/// What a pool has now, and has done since it was made.
struct pool_statistics {
  std::size_t leased = 0;   ///< in use, or being made
  std::size_t idle = 0;     ///< open and unused
  std::size_t waiting = 0;  ///< tasks that wait for one
  std::uint64_t made = 0;
  std::uint64_t reused = 0;     ///< handed out again
  std::uint64_t discarded = 0;  ///< closed: broken, too old, unused for too long
  std::uint64_t failed = 0;     ///< that could not be made
};

namespace detail {

[[noreturn]] void throw_made_nothing();

/// What all pools have in common: places, their order, times and figures.
class pool_core {
 public:
  explicit pool_core(pool_options options);

  /// Waits for a place, in order of arrival. Throws weft::error: closed, timed_out.
  void take_place(steady_time until);
  void give_place_back() noexcept;
  bool is_closed() const noexcept;
  /// Wakes all that wait. Calling it again has no effect.
  void close() noexcept;

  bool is_too_old(steady_time made, steady_time now) const noexcept;
  bool is_idle_too_long(steady_time since, steady_time now) const noexcept;
  bool needs_check(steady_time since, steady_time now) const noexcept;
  /// When it is too old, or unused for too long; no_deadline: never.
  steady_time over_at(steady_time made, steady_time since) const noexcept;
  /// Under the mutex: will nobody look at the unused ones by then?
  bool wants_look(steady_time due, steady_time now) const noexcept;
  /// Has `look` called then, with root context on a fiber of its own, unless the run ends or the pool is
  /// closed before, or somebody looks by then. Nothing outside of a run.
  void look_at(steady_time due, std::function<void()> look) noexcept;
  /// Somebody looks now.
  void looks() noexcept;
  pool_statistics statistics() const;

  /// Guards counts and closing, and what the pool keeps.
  mutable std::mutex mutex;
  pool_statistics counts;  // guarded by mutex; made, reused, discarded, failed
  bool closed = false;     // guarded by mutex

 private:
  [[noreturn]] void throw_closed() const;

  const pool_options options_;
  semaphore places_;
  timer look_;                          // guarded by mutex
  steady_time looks_at_ = no_deadline;  // guarded by mutex; no_deadline: never
};

}  // namespace detail

/// Connections that tasks borrow: made when they are needed, used again, never more than a maximum.
///
/// get() gives one that is unused, the one used last, or makes one where there is room; else it waits, and
/// those that wait are served in order of arrival. One that lay unused for a while is checked first, and
/// replaced where it is broken, idle too long or too old. A lease gives it back when it ends; discard()
/// closes it instead, and a lease that ends by an exception, or a cancellation, closes it as well, since a
/// request may be under way on it.
///
/// `Connection` is movable or not: anything with a life and an identity. Time limits of making and checking
/// are theirs. Unused ones that are over are closed by a timer of the pool, on the loop of a fiber that gave
/// one back; where none did, by the next get() or give-back, and by trim(). It keeps no run from ending.
///
/// Thread-safety: all members, from any task and thread; a lease is one task's at a time. Lifetime: leases
/// may outlive the pool, and close their connections then. Cancellation: get() is a cancellation point, also
/// while it makes or checks; no place is lost. Errors: weft::error: closed after close(), timed_out when the
/// bound passed and none came free; and what making one throws.
template <typename Connection>
class connection_pool {
  struct shared_state;

 public:
  using pointer = std::unique_ptr<Connection>;

 private:
  struct item {
    pointer connection;
    steady_time made{};
    steady_time idle_since{};
  };

 public:
  /// Makes a connection. Throws where it cannot; null is an error, too.
  using make_function = std::function<pointer()>;
  /// Is it fit for use? An exception, other than a cancellation, counts as no.
  using check_function = std::function<bool(Connection&)>;

  /// A connection in use.
  class [[nodiscard]] lease {
   public:
    lease() noexcept = default;
    lease(lease&& other) noexcept
        : state_(std::move(other.state_)), item_(std::move(other.item_)), unwinding_(other.unwinding_) {}
    lease& operator=(lease&& other) noexcept {
      if (this != &other) {
        end(false);
        state_ = std::move(other.state_);
        item_ = std::move(other.item_);
        unwinding_ = other.unwinding_;
      }
      return *this;
    }
    ~lease() { end(std::uncaught_exceptions() > unwinding_); }

    explicit operator bool() const noexcept { return state_ != nullptr; }
    Connection& operator*() const noexcept { return *item_.connection; }
    Connection* operator->() const noexcept { return item_.connection.get(); }
    /// Gives it back now.
    void give_back() noexcept { end(false); }
    /// It is broken: closes it, and makes room for another one.
    void discard() noexcept { end(true); }

   private:
    friend class connection_pool;
    lease(std::shared_ptr<shared_state> state, item one) noexcept
        : state_(std::move(state)), item_(std::move(one)), unwinding_(std::uncaught_exceptions()) {}
    void end(bool broken) noexcept {
      if (const auto state = std::exchange(state_, nullptr)) state->take_back(std::move(item_), broken);
    }
    std::shared_ptr<shared_state> state_;
    item item_;
    int unwinding_ = 0;
  };

  /// Without a check, `Connection::is_quiet()` is asked where there is one.
  explicit connection_pool(make_function make, pool_options options = {},
                           check_function check = default_check())
      : state_(std::make_shared<shared_state>(std::move(make), std::move(check), std::move(options))) {}
  connection_pool(const connection_pool&) = delete;
  connection_pool& operator=(const connection_pool&) = delete;
  ~connection_pool() { close(); }

  lease get(steady_time until = no_deadline) { return lease(state_, state_->get(until)); }
  /// Closes those that are idle too long or too old. Never waits but for closing them.
  void trim() { state_->trim(); }
  /// Closes unused ones, wakes who waits with weft::error (closed); those in use are closed when they come
  /// back. Calling it again has no effect.
  void close() noexcept { state_->close(); }
  pool_statistics statistics() const { return state_->statistics(); }

 private:
  struct shared_state : std::enable_shared_from_this<shared_state> {
    shared_state(make_function make, check_function check, pool_options options)
        : core_(std::move(options)), make_(std::move(make)), check_(std::move(check)) {}

    item get(steady_time until) {
      core_.take_place(until);
      place held(core_);
      trim();
      while (auto idle = take_idle()) {
        if (!is_fit(*idle)) continue;
        const std::lock_guard lock(core_.mutex);
        ++core_.counts.reused;
        held.keep();
        return std::move(*idle);
      }
      item made = make();
      held.keep();
      return made;
    }

    void take_back(item one, bool broken) noexcept {
      const steady_time now = steady_clock::now();
      const steady_time over = core_.over_at(one.made, now);
      bool wants_look = false;
      {
        const std::lock_guard lock(core_.mutex);
        if (broken || core_.closed || core_.is_too_old(one.made, now) || !keep(one, now)) {
          ++core_.counts.discarded;
        } else {
          wants_look = core_.wants_look(over, now);
        }
      }
      one.connection.reset();  // if it was not kept; its end may take a while
      core_.give_place_back();
      trim();
      if (wants_look) look_at(over);
    }

    void trim() noexcept {
      while (pointer over = take_over_aged()) over.reset();
    }

    void look_at(steady_time due) noexcept {
      core_.look_at(due, [state = this->weak_from_this()] {
        if (const auto here = state.lock()) here->look();
      });
    }

    void look() noexcept {
      core_.looks();
      trim();
      const steady_time next = next_over();
      if (next != no_deadline) look_at(next);
    }

    void close() noexcept {
      core_.close();
      std::deque<item> all;
      const std::lock_guard lock(core_.mutex);
      all.swap(idle_);
    }

    pool_statistics statistics() const {
      pool_statistics now = core_.statistics();
      const std::lock_guard lock(core_.mutex);
      now.idle = idle_.size();
      return now;
    }

   private:
    /// Gives a place back, unless it is kept.
    class place {
     public:
      explicit place(detail::pool_core& core) noexcept : core_(&core) {}
      place(const place&) = delete;
      place& operator=(const place&) = delete;
      ~place() {
        if (core_ != nullptr) core_->give_place_back();
      }
      void keep() noexcept { core_ = nullptr; }

     private:
      detail::pool_core* core_;
    };

    item make() {
      try {
        item made{make_(), steady_clock::now(), {}};
        if (made.connection == nullptr) detail::throw_made_nothing();
        const std::lock_guard lock(core_.mutex);
        ++core_.counts.made;
        return made;
      } catch (...) {
        const std::lock_guard lock(core_.mutex);
        ++core_.counts.failed;
        throw;
      }
    }

    bool is_fit(item& one) {
      const steady_time now = steady_clock::now();
      bool fit = true;
      if (check_ && core_.needs_check(one.idle_since, now)) {
        try {
          fit = check_(*one.connection);
        } catch (const std::exception&) {  // a cancellation is none
          fit = false;
        }
      }
      if (fit) return true;
      const std::lock_guard lock(core_.mutex);
      ++core_.counts.discarded;
      return false;
    }

    /// Under the mutex. False where there is no memory for it.
    bool keep(item& one, steady_time now) noexcept {
      try {
        one.idle_since = now;
        idle_.push_back(std::move(one));
        return true;
      } catch (const std::bad_alloc&) {
        return false;
      }
    }

    std::optional<item> take_idle() {
      const std::lock_guard lock(core_.mutex);
      if (idle_.empty()) return std::nullopt;
      std::optional<item> last(std::move(idle_.back()));
      idle_.pop_back();
      return last;
    }

    steady_time next_over() const noexcept {
      steady_time next = no_deadline;
      const std::lock_guard lock(core_.mutex);
      for (const item& one : idle_) next = std::min(next, core_.over_at(one.made, one.idle_since));
      return next;
    }

    /// The longest unused are in front; the oldest anywhere.
    pointer take_over_aged() noexcept {
      const steady_time now = steady_clock::now();
      const std::lock_guard lock(core_.mutex);
      for (auto one = idle_.begin(); one != idle_.end(); ++one) {
        if (!core_.is_idle_too_long(one->idle_since, now) && !core_.is_too_old(one->made, now)) continue;
        pointer over = std::move(one->connection);
        idle_.erase(one);
        ++core_.counts.discarded;
        return over;
      }
      return nullptr;
    }

    detail::pool_core core_;
    const make_function make_;
    const check_function check_;
    std::deque<item> idle_;  // guarded by core_.mutex; the one used last is behind
  };

  static check_function default_check() {
    if constexpr (requires(Connection& one) {
                    { one.is_quiet() } -> std::convertible_to<bool>;
                  }) {
      return [](Connection& one) { return one.is_quiet(); };
    } else {
      return nullptr;
    }
  }

  std::shared_ptr<shared_state> state_;
};

}  // namespace weft::inline v1::net
