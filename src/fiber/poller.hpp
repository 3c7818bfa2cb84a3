#pragma once

#include <sys/epoll.h>
#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include <weft/core/unique_fd.hpp>

#include "fiber/fork_mark.hpp"
#include "fiber/io_table.hpp"
#include "fiber/short_waits.hpp"

namespace weft::inline v1::detail {

/// epoll, and an eventfd by which other threads end its sleep. The loop's thread makes it, polls and
/// ends it; what may be done from other threads says so.
class poller {
 public:
  /// Throws weft::error.
  poller();
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;
  ~poller();

  /// The descriptors registered here; any thread.
  io_table& table() noexcept { return *table_; }
  /// Tasks that are parked until a descriptor registered here is ready: something from outside may
  /// still wake them. Any thread; exact when the loops sleep.
  std::size_t waiting() const noexcept { return table_->waiting(); }

  /// Wakes the waiters of what is ready now.
  void look() noexcept;
  /// Waits at most `timeout_ms` (-1: for ever) and wakes the waiters of what is ready. Where its last
  /// waits were short it looks for a while before it sleeps.
  void wait(int timeout_ms) noexcept;
  /// In a child that was forked inside the run: ends the process. The loop asks each time it gets
  /// control from a fiber.
  void end_if_forked() const noexcept {
    if (table_->is_inherited()) end_forked_child();
  }
  /// Ends the current or the next sleep. Any thread; one system call.
  void ring() noexcept;

 private:
  static constexpr std::size_t events_max = 256;
  using event_buffer = std::array<epoll_event, events_max>;
  using events_that_came = std::span<epoll_event>;
  events_that_came ask(event_buffer& into, int timeout_ms) noexcept;
  events_that_came look_for_a_while(event_buffer& into) noexcept;
  events_that_came sleep(event_buffer& into, int timeout_ms) noexcept;
  void deliver(events_that_came ready) noexcept;

  std::shared_ptr<io_table> table_;  // with it ends the epoll set
  unique_fd bell_;
  short_waits short_waits_;
};

}  // namespace weft::inline v1::detail
