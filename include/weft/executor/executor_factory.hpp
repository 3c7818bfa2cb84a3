#pragma once

#include <chrono>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

#include <weft/core/unique_function.hpp>
#include <weft/executor/executor.hpp>
#include <weft/executor/scheduled_pool.hpp>
#include <weft/executor/thread.hpp>
#include <weft/executor/thread_pool.hpp>

namespace weft::inline v1 {

/// What the executors of a factory have in common.
struct executor_factory_options {
  std::string name = {};              ///< begins the names of all of them; empty: nothing is added
  uncaught_handler on_uncaught = {};  ///< of those that have none of their own
};

/// Makes the pools and threads of a program or of a part of it, and ends them together.
///
/// Names are "<factory>-<name>", and "<factory>-<name>-2" for the second one of a name. It tracks what it
/// made while somebody has it, and does not keep it alive: each pool ends with its last shared_ptr, as pools
/// do. Thread-safe.
class executor_factory {
 public:
  explicit executor_factory(executor_factory_options options = {});
  executor_factory(const executor_factory&) = delete;
  executor_factory& operator=(const executor_factory&) = delete;
  ~executor_factory();

  /// Throw weft::error (closed) after shutdown, and as the constructors do.
  std::shared_ptr<thread_pool> make_pool(thread_pool_options options = {});
  std::shared_ptr<scheduled_pool> make_scheduled_pool(scheduled_pool_options options = {});
  template <typename Work>
    requires std::is_invocable_v<std::decay_t<Work>&>
  thread make_thread(std::string name, Work&& work,
                     std::source_location from = std::source_location::current()) {
    return start_thread(std::move(name), std::forward<Work>(work), from);
  }

  /// Makes nothing more and ends all that it made, in parallel: no new tasks from now on; until `bound` what
  /// is queued and what runs may end; then the rest is dropped or cancelled, and gets `grace` to end. The
  /// report is of all together and names what still runs. Threads of make_thread count as tasks that run.
  /// Throws weft::error (misuse) where the caller is one of those tasks.
  shutdown_report shutdown(std::chrono::milliseconds bound, std::chrono::milliseconds grace = {});

 private:
  class state;
  thread start_thread(std::string name, unique_function<void()> work, std::source_location from);
  std::unique_ptr<state> state_;
};

}  // namespace weft::inline v1
