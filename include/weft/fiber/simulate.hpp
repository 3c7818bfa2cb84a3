#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <source_location>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/fiber/run.hpp>

namespace weft::inline v1 {

/// How a simulation runs.
struct simulation_options {
  /// As for run. There is one loop, whatever `threads` says: the order is the seed's anyway. Without an
  /// on_uncaught of yours an error that nobody joins fails the simulation.
  run_options run = {};
  /// Times that a fiber gets its turn; above, the program goes on for ever and has failed.
  std::uint64_t turns_max = 1'000'000;
  /// A turn takes a time from zero to this, of the simulation's clock: bounds that are nearly equal pass
  /// in either order. Zero: only waiting takes time.
  steady_clock::duration turn_time_max = std::chrono::microseconds(10);
  /// Looked at before each turn. Once it is asked to stop, from any thread and in real time, the simulation
  /// has failed (cancelled), with a list of what each fiber does. What never gives up its turn is not
  /// stopped.
  std::stop_token stop = {};
  /// Writes each turn to stderr. So does WEFT_SIMULATION_TRACE in the environment.
  bool trace = false;
};

/// What a simulation did. Equal for equal seeds, if the program has no other source of chance.
struct simulation_report {
  std::uint64_t seed = 0;
  int status = 0;                ///< of run
  std::uint64_t trace_hash = 0;  ///< of all choices, times, fibers and waits, in their order
  std::uint64_t turns = 0;
  std::uint64_t fibers = 0;          ///< started, those in the place of threads included
  steady_clock::duration time = {};  ///< of the simulation's clock
};

/// A simulation failed; the message names the seed, and how to replay it. Its code is that of the cause:
/// what main threw, an error that nobody joined, deadlock (also for fibers that are left parked for ever
/// when main has ended), too many turns (resource_exhausted), or that it was told to stop (cancelled).
class simulation_error : public error {
 public:
  simulation_error(errc code, const std::string& why, const simulation_report& run, std::exception_ptr cause);
  std::uint64_t seed() const noexcept { return run_.seed; }
  /// As far as it came.
  const simulation_report& run() const noexcept { return run_; }
  /// What was thrown; null where nothing was.
  const std::exception_ptr& cause() const noexcept { return cause_; }

 private:
  simulation_report run_;
  std::exception_ptr cause_;
};

/// Which seeds simulate_many runs.
struct seeds_options {
  std::uint64_t first = 1;
  std::size_t count = 1000;  ///< WEFT_SEEDS in the environment overrides it
  simulation_options each = {};
};

/// What simulate_many did.
struct seeds_report {
  std::size_t runs = 0;
  std::size_t distinct_traces = 0;  ///< how many of them were different
};

namespace detail {
simulation_report simulate_main(std::uint64_t seed, unique_function<int()> main, simulation_options options,
                                std::source_location from);
seeds_report simulate_seeds(unique_function<int()> main, const seeds_options& options,
                            std::source_location from);
int simulated_program(unique_function<int()> main, const seeds_options& options, std::source_location from);

template <typename Main>
unique_function<int()> as_main(Main& main) {
  return [&main]() -> int {
    if constexpr (std::is_convertible_v<std::invoke_result_t<Main&>, int>) {
      return std::invoke(main);
    } else {
      std::invoke(main);
      return 0;
    }
  };
}
}  // namespace detail

/// Runs `main` as weft::run does, but in a world of its own that the seed decides: which of the fibers that
/// are ready goes on, where an operation that could wait gives up its turn although it need not, and what
/// time it is. Time passes when nothing is ready, at once, to the next timer; so an hour's sleep takes no
/// time.
///
/// Simulated are: the clocks of weft, timers, fibers, everything that waits through weft, and the threads
/// that weft starts (pools, blocking), which are fibers here; thread_local and thread ids therefore do not
/// tell them apart. Order of service is as promised: who waits first is served first. Ids of fibers begin
/// at 1. Not simulated, and thus not to be used in `main`: threads of your own, pools made outside, clocks
/// and sleeps of std and libc, std::random_device, the order of pointers, descriptors (io_handle says so). A
/// wake by a thread outside is noticed and fails the simulation.
///
/// Not inside another run or simulation. The program begins in an empty context. Throws simulation_error.
template <typename Main>
simulation_report simulate(std::uint64_t seed, Main&& main, simulation_options options = {},
                           std::source_location from = std::source_location::current()) {
  return detail::simulate_main(seed, detail::as_main(main), std::move(options), from);
}

/// Runs simulate for `count` seeds, one after the other; throws simulation_error at the first that fails, for
/// which a status other than 0 is enough. With WEFT_SEED in the environment it runs that one alone.
template <typename Main>
seeds_report simulate_many(Main&& main, const seeds_options& options = {},
                           std::source_location from = std::source_location::current()) {
  return detail::simulate_seeds(detail::as_main(main), options, from);
}

/// The whole of a test program, as weft_add_simulated_test (CMake) makes one:
///     int main() { return weft::simulated_main([] { ... }); }
/// As simulate_many, but goes on after a seed that fails, up to ten, and prints each. 0 if none failed,
/// else 1.
template <typename Main>
int simulated_main(Main&& main, const seeds_options& options = {},
                   std::source_location from = std::source_location::current()) {
  return detail::simulated_program(detail::as_main(main), options, from);
}

/// For the simulated program.
namespace simulation {
/// Is the calling thread in a simulation?
bool active() noexcept;
/// The seed; 0 outside.
std::uint64_t seed() noexcept;
/// A number below `limit`, decided by the seed; for the values a test works with. Throws weft::error
/// (misuse) outside a simulation, invalid_argument for limit 0.
std::uint64_t random(std::uint64_t limit);
/// Throws weft::error (internal) that says `what`, a claim about the program, if it does not hold.
void require(bool holds, const std::string& what);
}  // namespace simulation

}  // namespace weft::inline v1
