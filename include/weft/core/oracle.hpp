#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <weft/core/clock.hpp>
#include <weft/core/unique_function.hpp>

namespace weft::inline v1::detail {

/// The end of a thread that an oracle started.
class simulated_thread {
 public:
  virtual ~simulated_thread() = default;
  /// Waits for its end; nothing cuts the wait short.
  virtual void join() = 0;
};

/// What a simulation decides in the place of the outside world: time, chance, threads.
///
/// A simulation runs on one thread and sets that thread's oracle while it runs; everywhere else there
/// is none, and each question costs one thread-local load. All members are called on that thread only.
class oracle {
 public:
  /// The running thread's oracle; null outside a simulation.
  static oracle* current() noexcept { return current_; }
  /// Makes `now` the thread's oracle; gives the former one.
  static oracle* exchange_current(oracle* now) noexcept;

  virtual steady_time now() noexcept = 0;
  virtual wall_clock::time_point wall_now() noexcept = 0;
  /// One of `count` ways to go on, `count` at least 1: an index.
  virtual std::size_t choose(std::size_t count) noexcept = 0;
  /// A place where another task could get its turn; `what` is a literal for the trace. May switch tasks.
  virtual void scheduling_point(const char* what) = 0;
  /// In the place of a thread: a task of the simulation, without the caller's context.
  virtual std::unique_ptr<simulated_thread> start_thread(std::string name, unique_function<void()> work) = 0;
  /// What exists once in a process exists once in a simulation: the object for `key`, empty at first.
  /// It ends with the simulation.
  virtual std::shared_ptr<void>& instance(const void* key) = 0;
  /// Ids of tasks begin anew in each simulation, so that a replay shows the same ones.
  virtual std::uint64_t next_task_id() noexcept = 0;

 protected:
  ~oracle() = default;

 private:
  // NOLINTNEXTLINE(readability-identifier-naming): a private member, static or not
  [[gnu::tls_model("initial-exec")]] static thread_local constinit oracle* current_;
};

/// Asks the oracle, if there is one, whether another task shall get its turn. At the beginning of every
/// operation of a primitive, where no lock is held.
inline void scheduling_point(const char* what) {
  if (oracle* const decides = oracle::current()) [[unlikely]]
    decides->scheduling_point(what);
}

}  // namespace weft::inline v1::detail
