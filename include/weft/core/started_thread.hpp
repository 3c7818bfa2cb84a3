#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <thread>

#include <weft/core/oracle.hpp>
#include <weft/core/unique_function.hpp>

namespace weft::inline v1::detail {

/// May handlers of the process's signals run on a thread?
enum class thread_signals : unsigned char {
  blocked,   ///< no: it runs weft's own code; faults such as SIGSEGV stay as they are
  inherited  ///< as on the thread that starts it: it runs functions of the user, who may start processes
};

/// A thread that weft started. Every one is: in a simulation it is a task of that instead.
///
/// As std::thread: must be joined or detached before it ends. Members are called by one task at a time.
/// join() of a simulated one suspends the caller, of a real one blocks the calling thread.
class started_thread {
 public:
  started_thread() noexcept = default;
  /// Starts `work`, which must not throw. `name` is for people; the kernel shows 15 bytes, from when the
  /// constructor returns. Throws weft::error if the system gives no thread.
  started_thread(std::string name, thread_signals signals, unique_function<void()> work);

  bool joinable() const noexcept { return real_.joinable() || simulated_ != nullptr; }
  void join();
  /// Lets it go on by itself.
  void detach();

  /// How many threads of this process are weft's: the rest may wake tasks without being known.
  static std::size_t count() noexcept;

 private:
  std::thread real_;
  std::unique_ptr<simulated_thread> simulated_;
};

}  // namespace weft::inline v1::detail
