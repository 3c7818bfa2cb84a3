#pragma once

#include <any>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <source_location>
#include <string_view>
#include <type_traits>

#include <weft/context/context.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/core/unwinding.hpp>

namespace weft {

/// What happens to an error that no one joins.
struct uncaught_error {
  std::exception_ptr error;  ///< what the fiber ended with
  std::uint64_t fiber_id;    ///< the fiber
  std::string_view name;     ///< its name; may be empty
};

/// How weft::run runs.
struct run_options {
  std::size_t threads = 1;              ///< loops; more than one is not offered yet
  std::size_t stack_bytes = 64 * 1024;  ///< address space of one fiber's stack; at least 16 KiB
  std::size_t max_fibers = 1'000'000;   ///< fibers alive at once; go throws resource_exhausted above
  /// Called in the failed fiber's context, once for each error that nobody joins. Default: a critical
  /// log record; that too where the last handle is dropped outside a run.
  std::function<void(const uncaught_error&)> on_uncaught = {};
};

namespace detail {
int run_main(unique_function<int()> main, run_options options, std::source_location from);
}

/// Runs `main` on a fiber, and then whatever it started, until nothing is left; gives the exit status.
///
/// `main` may return void (status 0) or an int. An exception that leaves it cancels all other fibers
/// and is thrown again here. weft::exit ends the run with its status. Blocks the calling plain
/// thread, so it is an error inside a no_wait_scope; runs do not nest on a thread.
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

/// Figures of the running thread's run; all zero outside.
struct run_statistics {
  std::size_t fibers = 0;  ///< alive, the caller included
  std::size_t fibers_peak = 0;
  std::uint64_t fibers_started = 0;
  std::size_t stacks = 0;  ///< made so far; reused
  std::size_t timers = 0;  ///< armed
};
run_statistics statistics() noexcept;

}  // namespace weft
