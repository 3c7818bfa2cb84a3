#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weft::inline v1::workers {

/// When a worker ends by itself so that a fresh one takes its place: at the end of a checkout, once one of
/// these is reached. All are off by default.
///
/// No call is lost: a client of weft is told before, and one of the compatible protocol, which knows no such
/// word, keeps its connection, and what it says next is answered by the next worker.
struct recycling {
  std::size_t checkouts_max = 0;         ///< after so many; 0: never
  std::chrono::nanoseconds age_max{0};   ///< after so long; 0: never
  std::uint64_t resident_bytes_max = 0;  ///< once the process has more memory than that; 0: never

  bool operator==(const recycling&) const = default;
};

}  // namespace weft::inline v1::workers
