#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <source_location>
#include <string>
#include <utility>

#include <weft/core/unique_function.hpp>
#include <weft/fiber/run.hpp>
#include <weft/testing/test_failure.hpp>

namespace weft::inline v1::testing {

/// How time passes in a test.
enum class test_time : unsigned char {
  real,
  /// The test runs in weft::simulate: when all fibers wait, the clock jumps to the next timer, so that
  /// sleeps, timeouts and deadlines take no time. There is one thread, and sockets and pipes cannot be waited
  /// for.
  jumps,
};

/// How a test runs.
struct run_options {
  std::string name = {};  ///< in messages; empty: the place of the call
  /// Of real time, the clock of the test may say what it will. WEFT_TEST_DEADLINE, seconds in the
  /// environment, is in the place of all of them: for slow machines and debuggers. 0: none.
  std::chrono::milliseconds deadline = std::chrono::seconds(30);
  std::size_t threads = 1;  ///< loops, as weft::run_options::threads
  test_time time = test_time::real;
  std::uint64_t seed = 1;  ///< of the order in which fibers go, where time jumps; WEFT_SEED overrides it
  /// Fail where fibers of the test are left when its body has returned. False: they are waited for, as
  /// weft::run does.
  bool check_fibers = true;
  /// Fail where descriptors or child processes are left when the test is over.
  bool check_process = true;
  /// Fail where a fault_point that the test armed was never passed: its name may be misspelled.
  bool check_faults = true;
  /// All else. Of it, threads, watchdog and on_long_turn are not looked at; without an on_uncaught of yours,
  /// an error that nobody joins fails the test.
  weft::run_options run = {.stack_bytes = 256 * 1024, .shutdown_grace = std::chrono::seconds(5)};
};

namespace detail {
void run_test(unique_function<void()> body, run_options options, const std::source_location& from);
}

/// Runs a test: `body` on a fiber of a runtime of its own, which is gone when this returns.
///
///     TEST(shop, sells_once) {
///       weft::testing::run([] {
///         shop one;
///         EXPECT_TRUE(one.sell("tea"));
///       }, {.deadline = 10s});
///     }
///
/// Throws what `body` throws; of a test whose time jumps as the cause of a weft::simulation_error. Throws
/// weft::deadlock_error at once where all fibers wait and nothing can wake them, and test_failure: where the
/// deadline passes, with where each fiber waits; where an error is joined by nobody; for what is left over.
/// So it works with every test framework that reports exceptions. Where a fiber does not let go of its
/// thread, so that nothing can be unwound, that goes to stderr after the deadline, with the fiber's calls
/// where time does not jump, and the process is aborted.
///
/// Blocks the calling plain thread. One at a time in a process, for what it looks at is the process's.
template <typename Body>
void run(Body&& body, run_options options = {}, std::source_location from = std::source_location::current()) {
  detail::run_test([&body] { static_cast<void>(std::invoke(body)); }, std::move(options), from);
}

}  // namespace weft::inline v1::testing
