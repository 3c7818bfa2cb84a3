#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>

#include <weft/core/started_thread.hpp>
#include <weft/fiber/run.hpp>

namespace weft::inline v1::testing::detail {

/// Watches over the deadline of one test, on a thread of its own, in real time.
///
/// When the deadline has passed it calls `on_late`, which has the runtime give the test up. Where the watch
/// still lives a quarter of the deadline and `grace` later, nothing can be unwound: what is known of a fiber
/// that keeps its thread is printed, and the process is aborted.
class test_watch {
 public:
  using clock = std::chrono::steady_clock;

  /// A deadline of 0: watches nothing.
  test_watch(std::string name, std::chrono::milliseconds deadline, std::chrono::milliseconds grace,
             std::function<void()> on_late);
  test_watch(const test_watch&) = delete;
  test_watch& operator=(const test_watch&) = delete;
  ~test_watch();

  /// A fiber has its thread for long; any thread.
  void note(const long_turn& turn);

 private:
  void watch();
  /// True: it is over.
  bool over_before(clock::time_point until);
  [[noreturn]] void give_up();

  const std::string name_;
  const std::chrono::milliseconds deadline_;
  const std::chrono::milliseconds grace_;
  const std::function<void()> on_late_;
  const clock::time_point begun_ = clock::now();
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;                    // guarded by mutex_
  std::string last_turn_;                // guarded by mutex_
  weft::detail::started_thread thread_;  // the last member: it uses the others
};

}  // namespace weft::inline v1::testing::detail
