#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <weft/jobs/job.hpp>

#include "jobs/bell.hpp"

namespace weft::inline v1::jobs {

/// Bells for those who wait for the end of a job. Jobs share them, so that memory does not grow with who
/// waits, and few wake for the end of a job that is not theirs.
///
/// Thread-safe, as a bell.
class end_bells {
 public:
  bell& of(job_id id) { return bells_[slot_of(id)]; }
  void ring_all() {
    for (auto& one : bells_) one.ring();
  }

 private:
  static constexpr std::size_t slot_bits = 6;
  /// Ids differ in their upper bits, and those of one push in a few of the middle.
  static std::size_t slot_of(job_id id) {
    return (static_cast<std::uint64_t>(id) * 0x9e3779b97f4a7c15U) >> (64 - slot_bits);
  }

  std::array<bell, std::size_t{1} << slot_bits> bells_;
};

}  // namespace weft::inline v1::jobs
