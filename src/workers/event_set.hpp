#pragma once

#include <cstdint>
#include <vector>

#include <sys/epoll.h>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>

namespace weft::inline v1::workers::detail {

/// What a descriptor of the fork server is.
enum class event_kind : std::uint8_t {
  control,
  keep_alive,
  listener,
  signals,
  successor,
  predecessor,
  worker_end,
  worker_monitor,
  worker_errors,
  memory_events,
  client,
};

/// What happened to it, and whose it is.
struct event {
  event_kind kind{};
  std::uint64_t id = 0;  ///< of the worker or the client; 0 where there is one of a kind
  bool has_input = false;
  bool has_ended = false;  ///< both directions are closed, or it failed
};

/// The descriptors that a process without a runtime waits for. The cost of a wait does not grow with them.
class event_set {
 public:
  /// Throws weft::error.
  event_set();

  enum class what : unsigned char {
    input,      ///< as long as there is some
    new_input,  ///< when some comes
    end,        ///< only that it has ended
    output,     ///< as long as there is room
    exception,  ///< an exceptional condition, and that it has ended
  };
  /// Throws weft::error (resource_exhausted).
  void watch(int fd, event_kind kind, std::uint64_t id = 0, what of = what::input);
  void change(int fd, event_kind kind, std::uint64_t id, what of) noexcept;
  /// To be called before the descriptor is closed: a forked child may have a copy of it for a while.
  void forget(int fd) noexcept;

  /// Some of what happened, as soon as there is any, until `until`.
  const std::vector<event>& wait(steady_time until);

 private:
  unique_fd epoll_;
  std::vector<epoll_event> raw_;
  std::vector<event> seen_;
};

}  // namespace weft::inline v1::workers::detail
