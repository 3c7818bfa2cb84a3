#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <weft/fiber/parker.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/bell.hpp"
#include "jobs/end_bells.hpp"
#include "jobs/postgres/link/process_bells.hpp"
#include "jobs/postgres/link/store_thread.hpp"

namespace weft::inline v1::jobs::postgres {

/// Tells who waits for work, or for the end of a job, that there may be some: in this process at once, in
/// others by process_bells. What does not come through (a pooler, a lost connection) is made up for by
/// looking every poll_interval.
///
/// Thread-safe.
class notices {
 public:
  notices(store_thread& on, const address& to, std::chrono::milliseconds poll_interval);
  notices(const notices&) = delete;
  notices& operator=(const notices&) = delete;

  jobs::bell& work() noexcept { return work_; }
  jobs::bell& end_of(job_id id) noexcept { return ends_.of(id); }
  /// Something has become ready, here.
  void tell_of_work();
  void tell_of_end(job_id id);
  /// Jobs that nobody counted may have ended.
  void tell_of_ends();

  /// From now on what others do matters, too. Does not wait. Throws weft::error (misuse) in a forked child,
  /// where nobody would ring.
  void listen();
  /// The fibers are to end.
  void stop();

 private:
  void hear(std::string_view payload);
  void ring_all();
  void look_again_and_again();

  store_thread& on_;
  const std::chrono::milliseconds poll_interval_;
  const std::string news_of_work_;  // payloads, with who sends them
  const std::string news_of_ends_;
  jobs::bell work_;
  end_bells ends_;
  process_bells others_;
  std::atomic<bool> listens_{false};
  std::atomic<bool> stopped_{false};
  parker ends_looking_;
};

}  // namespace weft::inline v1::jobs::postgres
