#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

#include <weft/jobs/clock.hpp>

namespace weft::inline v1::jobs::postgres {

/// The server's clock as it is known here, so that moments mean the same to all who use a database, whatever
/// the clocks of their machines show.
///
/// It is asked for now and then: what it says was so at some moment between the question and the answer.
/// Since then it goes on with this machine's time since its start, which nobody sets and which counts sleep,
/// too. Of answers that do not contradict each other the one is kept whose moment is known best.
///
/// Thread-safety: all members, from any thread.
class server_clock final : public clock {
 public:
  /// This machine's time since its start.
  using ticks = std::chrono::microseconds;
  static ticks since_start();

  moment now() const override { return at(since_start()); }
  moment at(ticks here) const;
  /// The server was asked at `asked`, and said `told`, which was here at `answered`.
  void learn(ticks asked, moment told, ticks answered);
  /// Was that so long ago that it has to be asked again?
  bool is_old(ticks here) const;

 private:
  mutable std::mutex mutex_;
  moment base_{};   // guarded by mutex_, as what follows; the server's when this machine started
  ticks error_{0};  // at most, at `known_at_`
  ticks known_at_{0};
  ticks asked_at_{0};  // last
  bool is_known_ = false;
};

}  // namespace weft::inline v1::jobs::postgres
