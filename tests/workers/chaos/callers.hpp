#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include <weft/workers/client.hpp>

#include "workers/chaos/faults.hpp"

namespace weft_test {

/// What a caller got. Each is a bit.
enum class outcome : unsigned {
  token = 1,
  thrown = 2,
  died = 4,
  timed_out = 8,
  cancelled = 16,
  exited = 32,
  unreadable = 64,
  wrong = 128
};

/// What all callers of a test do and see. Thread-safe.
class tally {
 public:
  explicit tally(std::uint64_t faults_wanted) : faults_wanted_(faults_wanted) {}

  /// Counts a fault; false once there have been enough.
  bool begin(fault of);
  void note(fault of, outcome got);
  /// Something that must not be.
  void complain(std::string text);

  std::vector<std::string> complaints() const;
  std::uint64_t faults() const;
  std::uint64_t calls() const;
  /// A line for each fault, with what its callers got.
  std::string text() const;

 private:
  const std::uint64_t faults_wanted_;
  mutable std::mutex mutex_;
  std::uint64_t faults_ = 0;                                // guarded by mutex_
  std::map<fault, std::map<outcome, std::uint64_t>> seen_;  // guarded by mutex_
  std::vector<std::string> complaints_;                     // guarded by mutex_; at most 20
};

/// Where the callers' workers find their locks, and how many these are.
struct slot_folder {
  std::string path;
  int slots = 0;
};

/// One caller: makes calls until the tally has enough faults; each gets exactly one answer, which has to be
/// one that the fault allows.
class caller {
 public:
  caller(weft::workers::client& pool, slot_folder slots, const fault_weights& weights, tally& all,
         std::uint64_t seed)
      : pool_(pool), slots_(std::move(slots)), weights_(weights), all_(all), random_(seed) {}

  void run();

 private:
  void call_once(fault what);
  void call_with_signal(fault what, int signal);
  void call_and_give_up(fault what);
  void kill_when_idle(fault what);
  void call_several(fault what);
  outcome outcome_of(const std::function<std::int64_t()>& call, std::int64_t token);
  outcome attempt(weft::workers::checkout& with, fault what);
  void expect(fault what, outcome got);
  std::int64_t pick(std::int64_t below) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(below));
  }

  weft::workers::client& pool_;
  slot_folder slots_;
  fault_weights weights_;
  tally& all_;
  std::mt19937_64 random_;
  std::string last_error_;
};

}  // namespace weft_test
