#pragma once

#include <chrono>

#include <weft/fiber/fiber.hpp>
#include <weft/service/notifier.hpp>

namespace weft::inline v1::ops {

/// Feeds the watchdog of the service manager from the loops of a run themselves: each sign of life has been
/// through every loop, as a fiber of it. Where one loop is stuck, in a function that neither ends nor waits,
/// no more signs are sent, and the manager kills the program.
///
/// Thread-safety: made and ended by one fiber. Lifetime: inside one weft::run; the notifier outlives it.
class loop_watch {
 public:
  /// Begins, where there is somebody to tell and `period`, after which the manager gives up, is not zero. A
  /// round is done at the begin and then in each third of it. Throws weft::error (invalid_argument) for a
  /// period below 10 ms.
  loop_watch(const notifier& to, std::chrono::microseconds period);
  loop_watch(const loop_watch&) = delete;
  loop_watch& operator=(const loop_watch&) = delete;
  /// Ends it. Waits for its fiber, not for the loops.
  ~loop_watch();

 private:
  fiber<void> rounds_;
};

}  // namespace weft::inline v1::ops
