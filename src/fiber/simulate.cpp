#include <weft/fiber/simulate.hpp>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <unordered_set>
#include <utility>

#include <weft/core/failure.hpp>

#include "fiber/simulation.hpp"

namespace weft::inline v1 {
namespace {

constexpr std::size_t failures_shown_max = 10;

std::string message_of(const std::string& why, const simulation_report& run) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(run.time).count();
  return "simulate: seed " + std::to_string(run.seed) + " failed after " + std::to_string(run.turns) +
         " turns, at " + std::to_string(ms) + " ms: " + why + "; WEFT_SEED=" + std::to_string(run.seed) +
         " in the environment replays it";
}

errc code_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const error& failed) {
    return failed.code();
  } catch (...) {
    return errc::unknown;
  }
}

/// A number of the environment; nothing if it is not set. Throws weft::error if it is no number.
std::optional<std::uint64_t> number_from_environment(const char* name) {
  const char* const text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  if (text == nullptr || *text == '\0') return std::nullopt;
  char* end = nullptr;
  const std::uint64_t number = std::strtoull(text, &end, 10);
  if (*end != '\0' || *text == '-') {
    throw error(errc::invalid_argument, std::string("simulate: ") + name + "=\"" + text +
                                            "\" is not a number; give a seed such as 17");
  }
  return number;
}

}  // namespace

simulation_error::simulation_error(errc code, const std::string& why, const simulation_report& run,
                                   std::exception_ptr cause)
    : error(code, message_of(why, run)), run_(run), cause_(std::move(cause)) {}

namespace detail {
namespace {

/// What one simulation ended with, before anybody is told.
struct ending {
  simulation_report run;
  errc code = errc::unknown;
  std::string why;  // empty: it did not fail
  std::exception_ptr cause;
};

std::string why_of(const std::exception_ptr& thrown, const simulation_world& world) {
  try {
    std::rethrow_exception(thrown);
  } catch (const deadlock_error& stuck) {
    if (!world.main_ended()) return stuck.what();
    return "main has ended, and these fibers wait for ever:\n" + stuck.fibers();
  } catch (...) {
    return failure::from(thrown).chain();
  }
}

ending run_simulated(std::uint64_t seed, unique_function<int()>& main, simulation_options options,
                     std::source_location from) {
  if (std::getenv("WEFT_SIMULATION_TRACE") != nullptr) options.trace = true;  // NOLINT(concurrency-mt-unsafe)
  const context::attachment nothing_outside{context()};
  simulation_world world(seed, options);
  options.run.threads = 1;
  options.run.deadlock_check = true;
  if (!options.run.on_uncaught) {
    options.run.on_uncaught = [&world](const uncaught_error& what) { world.note_uncaught(what); };
  }
  ending end;
  int status = 0;
  try {
    status = run_main(
        [&] {
          const int given = main();
          world.main_has_ended();
          return given;
        },
        std::move(options.run), from);
    end.why = world.failure();
    end.code = end.why.empty() ? errc::unknown : world.failure_code();
    end.cause = world.uncaught();
    if (end.cause != nullptr) end.code = code_of(end.cause);
  } catch (...) {
    end.cause = std::current_exception();
    end.code = code_of(end.cause);
    end.why = world.failure().empty() ? why_of(end.cause, world) : world.failure();
  }
  end.run = world.report();
  end.run.status = status;
  return end;
}

[[noreturn]] void throw_failed(const ending& end) {
  const simulation_error failed(end.code, end.why, end.run, end.cause);
  if (end.cause == nullptr) throw failed;
  try {
    std::rethrow_exception(end.cause);
  } catch (...) {
    std::throw_with_nested(failed);
  }
}

/// As a test sees it: a status is a failure as well.
ending run_as_test(std::uint64_t seed, unique_function<int()>& main, const simulation_options& options,
                   std::source_location from) {
  ending end = run_simulated(seed, main, options, from);
  if (end.why.empty() && end.run.status != 0) {
    end.code = errc::exited;
    end.why = "main ended with status " + std::to_string(end.run.status);
  }
  return end;
}

seeds_options asked_for(seeds_options options) {
  if (const auto count = number_from_environment("WEFT_SEEDS")) options.count = *count;
  if (const auto seed = number_from_environment("WEFT_SEED")) {
    options.first = *seed;
    options.count = 1;
  }
  return options;
}

}  // namespace

simulation_report simulate_main(std::uint64_t seed, unique_function<int()> main, simulation_options options,
                                std::source_location from) {
  const ending end = run_simulated(seed, main, std::move(options), from);
  if (!end.why.empty()) throw_failed(end);
  return end.run;
}

seeds_report simulate_seeds(unique_function<int()> main, const seeds_options& options,
                            std::source_location from) {
  const seeds_options asked = asked_for(options);
  std::unordered_set<std::uint64_t> traces;
  seeds_report report;
  for (; report.runs < asked.count; ++report.runs) {
    const ending end = run_as_test(asked.first + report.runs, main, asked.each, from);
    if (!end.why.empty()) throw_failed(end);
    traces.insert(end.run.trace_hash);
  }
  report.distinct_traces = traces.size();
  return report;
}

int simulated_program(unique_function<int()> main, const seeds_options& options,
                      std::source_location from) try {
  const seeds_options asked = asked_for(options);
  std::size_t failed = 0, runs = 0;
  for (; runs < asked.count && failed < failures_shown_max; ++runs) {
    const ending end = run_as_test(asked.first + runs, main, asked.each, from);
    if (end.why.empty()) continue;
    ++failed;
    std::fprintf(stderr, "%s\n", message_of(end.why, end.run).c_str());
  }
  std::fprintf(stderr, "simulated %zu seeds from %llu: %zu failed\n", runs,
               static_cast<unsigned long long>(asked.first), failed);
  return failed == 0 ? 0 : 1;
} catch (const error& refused) {
  std::fprintf(stderr, "%s\n", refused.what());
  return 1;
}

}  // namespace detail

namespace simulation {

bool active() noexcept { return detail::simulation_world::current() != nullptr; }

std::uint64_t seed() noexcept {
  const auto* const world = detail::simulation_world::current();
  return world != nullptr ? world->seed() : 0;
}

std::uint64_t random(std::uint64_t limit) {
  auto* const world = detail::simulation_world::current();
  if (world == nullptr) {
    throw error(errc::misuse,
                "simulation::random: the caller is in no simulation; call it below weft::simulate");
  }
  if (limit == 0) throw error(errc::invalid_argument, "simulation::random: no number is below 0");
  return world->random(limit);
}

void require(bool holds, const std::string& what) {
  if (!holds) throw error(errc::internal, "does not hold: " + what);
}

}  // namespace simulation
}  // namespace weft::inline v1
