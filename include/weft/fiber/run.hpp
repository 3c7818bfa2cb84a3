#pragma once

#include <any>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/core/unwinding.hpp>

namespace weft::inline v1 {

/// What happens to an error that no one joins.
struct uncaught_error {
  std::exception_ptr error;  ///< what the fiber ended with
  std::uint64_t fiber_id;    ///< the fiber
  std::string_view name;     ///< its name; may be empty
};

/// What a run does about errors that no one joins, besides reporting them.
enum class uncaught_policy : unsigned char {
  report,  ///< nothing: the other fibers go on
  stop,    ///< ends the run: all other fibers are cancelled, and run returns 255
};

/// A fiber that has its thread for longer than run_options::watchdog; the others of that thread cannot run.
struct long_turn {
  std::uint64_t fiber_id = 0;
  std::string name = {};
  std::size_t loop = 0;                ///< index of its loop
  steady_clock::duration lasted = {};  ///< so far
  std::string calls = {};              ///< one line for each; empty where they could not be had
};

/// How weft::run runs.
struct run_options {
  /// Loops, each on a thread of its own, the first on the caller's; 0: one for each core. Fibers that
  /// have started stay on their thread; idle loops take over fibers that have not.
  std::size_t threads = 1;
  std::size_t stack_bytes = 64 * 1024;  ///< address space of one fiber's stack; at least 16 KiB
  /// Free stacks that keep their memory for reuse, for each thread: at 4 KiB each, or what the fiber
  /// before has touched, up to 16 KiB or so. More than these go back to the system, when they
  /// were not needed for about five seconds.
  std::size_t stacks_idle_max = 1024;
  /// Fibers alive at once; go throws resource_exhausted above. With several loops, to 64 for each.
  std::size_t max_fibers = 1'000'000;
  /// Called in the failed fiber's context, once for each error that nobody joins. Default: a critical
  /// log record; that too where the last handle is dropped outside a run.
  std::function<void(const uncaught_error&)> on_uncaught = {};
  uncaught_policy uncaught = uncaught_policy::report;
  /// Where all fibers wait and nothing can wake them, cancel them and throw deadlock_error.
  bool deadlock_check = true;
  /// After an exit, an error of main or a deadlock, how long the other fibers may take to unwind. Then
  /// those that are left are named on stderr, and the process is aborted.
  std::chrono::milliseconds shutdown_grace = std::chrono::seconds(30);
  /// A fiber that has its thread for that long is reported, once for each such turn, with its calls; 0: none
  /// is. A thread looks four times in that span; the calls are had by a SIGURG to the loop's thread, if the
  /// program leaves that signal alone.
  std::chrono::milliseconds watchdog = {};
  /// Told of long turns, on the watchdog's thread; must not throw. Default: a warning in the log.
  std::function<void(const long_turn&)> on_long_turn = {};
  /// At a SIGQUIT, print dump_fibers() on stderr and go on, instead of ending the process. A handler of the
  /// program is called too.
  bool dump_on_sigquit = false;
};

/// Thrown by run: fibers were left, each waited, and nothing could wake them: no fiber that runs, no timer,
/// descriptor, pool or external_waker. They have been cancelled (cancel_reason::deadlock) and unwound.
/// Where the process has threads that weft did not start, any of them might yet wake a fiber; then a
/// warning is logged after a second, and nothing is cancelled.
class deadlock_error : public error {
 public:
  explicit deadlock_error(std::string fibers);
  /// Each fiber as it waited, in the form of dump_fibers().
  const std::string& fibers() const noexcept { return fibers_; }

 private:
  std::string fibers_;
};

namespace detail {
int run_main(unique_function<int()> main, run_options options, std::source_location from);
}

/// Runs `main` on a fiber, and then whatever it started, until nothing is left; gives the exit status.
///
/// `main` may return void (status 0) or an int. An exception that leaves it cancels all other fibers
/// and is thrown again here. weft::exit ends the run with its status. Blocks the calling plain
/// thread, so it is an error inside a no_wait_scope; runs do not nest on a thread. With several threads
/// `main` runs on the caller's. Throws weft::error: misuse, invalid_argument for options out of
/// range, resource_exhausted or io_error where a thread or a poller cannot be had, deadlock_error.
template <typename Main>
int run(Main&& main, run_options options = {}, std::source_location from = std::source_location::current()) {
  return detail::run_main(
      [held = std::forward<Main>(main)]() mutable -> int {
        if constexpr (std::is_convertible_v<std::invoke_result_t<decltype(held)&>, int>) {
          return std::invoke(held);
        } else {
          std::invoke(held);
          return 0;
        }
      },
      std::move(options), from);
}

/// Leaves what the caller belongs to, from where it is, by throwing exit_exception: a plain fiber or
/// main ends the run (all other fibers are cancelled and unwound); a server ends the request; a
/// worker call gives the error `exited`.
[[noreturn]] void exit(std::any status = 0);

/// The status of the last run on this thread that was ended by weft::exit, of any type; empty without.
const std::any& last_exit() noexcept;

/// Bound by servers around what they call, so that exit tells that it is in one.
inline constexpr key_spec in_server_spec{.name = "weft.in_server"};
inline const key<bool> in_server{in_server_spec};

/// Figures of a run, over all its loops. Of the other loops, what is said here to be of now may be a
/// millisecond old, or as old as the turn of a fiber that runs for longer.
struct run_statistics {
  std::size_t loops = 0;
  std::size_t fibers = 0;  ///< alive, the caller included
  std::size_t fibers_peak = 0;
  std::size_t fibers_ready = 0;   ///< in line now, started or not
  std::size_t fibers_parked = 0;  ///< that wait now
  std::uint64_t fibers_started = 0;
  std::uint64_t fibers_ended = 0;    ///< those that were cancelled before they started included
  std::uint64_t fibers_stolen = 0;   ///< unstarted, that a loop took from another one
  std::uint64_t switches = 0;        ///< from fiber to fiber or loop
  std::uint64_t steals = 0;          ///< times that a loop took unstarted fibers from another one
  std::size_t stacks = 0;            ///< made so far; reused
  std::size_t stacks_in_use = 0;     ///< now
  std::size_t stacks_idle = 0;       ///< free now, with their memory
  std::size_t stack_peak_bytes = 0;  ///< most of a stack that was touched, of one in 256 that came back
  std::size_t timers = 0;            ///< armed now
};
/// Those of the running thread's run; all zero outside. The default registry of metrics has those of all
/// runs of the process, as `weft_fibers_...`.
run_statistics statistics() noexcept;

/// What a fiber is doing.
enum class fiber_state : unsigned char { not_started, ready, running, waiting };
/// "not started", "ready", ...
std::string_view to_string(fiber_state state) noexcept;

/// A fiber as it was when somebody looked.
struct fiber_info {
  std::uint64_t id = 0;
  std::uint64_t parent_id = 0;  ///< the task that made it, or armed the timer whose tick it is
  std::string name = {};
  fiber_state state = fiber_state::not_started;
  const char* waits_for = nullptr;  ///< of one that waits, e.g. "channel::pop"
  std::size_t loop = 0;             ///< the thread it is on
  steady_clock::duration elapsed = {};
};

/// The fibers of the running thread's run, by id; empty outside. A snapshot, except that the loops go
/// on meanwhile. Costs a short lock of each loop's list.
std::vector<fiber_info> list_fibers();

}  // namespace weft::inline v1
