#pragma once

#include <condition_variable>
#include <mutex>

#include <weft/core/clock.hpp>

namespace weft::inline v1::detail {

class scheduler;
class survey;

/// Where a survey asks a loop of the same run for the stacks of its parked fibers: only the loop's own
/// thread can look at them. One survey at a time asks, see runtime::survey_lock.
class survey_desk {
 public:
  /// Leaves a question. The asker then wakes the loop, and takes the question back in the end.
  void ask(survey& asker);
  /// Waits until it was answered, but not longer than `until`; then takes it back. False: no answer.
  bool answered(steady_time until);
  /// On the loop's thread, its stack or that of a fiber: answers what was asked, if something was.
  void answer(scheduler& here);

 private:
  std::mutex mutex_;  // held while a question is being answered
  std::condition_variable done_;
  survey* question_ = nullptr;  // guarded by mutex_
};

}  // namespace weft::inline v1::detail
