#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <string>

#include <weft/core/oracle.hpp>
#include <weft/fiber/simulate.hpp>

namespace weft::inline v1::detail {

class fiber_block;

/// The numbers that follow from a seed (splitmix64).
class seeded_numbers {
 public:
  explicit seeded_numbers(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() noexcept;
  std::uint64_t below(std::uint64_t limit) noexcept;

 private:
  std::uint64_t state_;
};

/// One simulation: its clock, its chance, and the record of both.
///
/// In force on the constructing thread while it lives; the run that is started there meanwhile asks it.
/// Only that thread touches it.
class simulation_world final : public oracle {
 public:
  simulation_world(std::uint64_t seed, const simulation_options& options);
  simulation_world(const simulation_world&) = delete;
  simulation_world& operator=(const simulation_world&) = delete;
  ~simulation_world();

  /// The running thread's; null outside a simulation.
  static simulation_world* current() noexcept;

  // oracle
  steady_time now() noexcept override { return steady_time(begin + time_); }
  wall_clock::time_point wall_now() noexcept override;
  std::size_t choose(std::size_t count) noexcept override;
  void scheduling_point(const char* what) override;
  std::unique_ptr<simulated_thread> start_thread(std::string name, unique_function<void()> work) override;
  std::shared_ptr<void>& instance(const void* key) override { return instances_[key]; }
  std::uint64_t next_task_id() noexcept override { return ++last_id_; }

  // For the loop.
  /// `fiber` gets its turn. Ends the run where there were too many turns, or it is told to stop.
  void turn_of(const fiber_block& fiber) noexcept;
  /// Nothing is ready before `until`.
  void advance_to(steady_time until) noexcept;
  /// A thread outside woke a fiber: nothing is decided by the seed any more.
  void woken_from_outside() noexcept;

  // For simulate.
  void main_has_ended() noexcept { main_ended_ = true; }
  bool main_ended() const noexcept { return main_ended_; }
  void note_uncaught(const uncaught_error& what);
  /// Why it failed although nothing was thrown; empty: it did not.
  const std::string& failure() const noexcept { return failure_; }
  errc failure_code() const noexcept { return failure_code_; }
  std::exception_ptr uncaught() const noexcept { return uncaught_; }
  simulation_report report() const noexcept;
  std::uint64_t seed() const noexcept { return seed_; }
  std::uint64_t random(std::uint64_t limit) noexcept { return values_.below(limit); }
  /// "WEFT_SEED=7 replays it"
  std::string how_to_replay() const;

 private:
  static constexpr steady_clock::duration begin = std::chrono::hours(1);

  void note(char kind, std::uint64_t number, const char* what) noexcept;
  void mix(std::uint64_t number) noexcept;
  void fail(errc code, std::string why) noexcept;
  void fail_with_fibers(errc code, const std::string& why) noexcept;

  const std::uint64_t seed_;
  const simulation_options options_;
  seeded_numbers choices_;
  seeded_numbers values_;          // apart, so that the program's draws do not shift the choices
  const std::uint64_t gives_way_;  // of 256 scheduling points
  steady_clock::duration time_{};
  std::uint64_t turns_ = 0;
  std::uint64_t hash_ = 0;
  std::uint64_t last_id_ = 0;
  bool main_ended_ = false;
  errc failure_code_ = errc::internal;
  std::string failure_;
  std::exception_ptr uncaught_;
  std::map<const void*, std::shared_ptr<void>> instances_;
  simulation_world* const former_world_;
  oracle* const former_;
};

}  // namespace weft::inline v1::detail
