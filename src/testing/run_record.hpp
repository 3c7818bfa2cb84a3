#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <weft/closure/runner.hpp>
#include <weft/jobs/store.hpp>

namespace weft::inline v1::jobs {

/// In which order claims came to run, and whether there were too many. Thread-safe.
class run_record {
 public:
  /// More than `most` between two calls of count_anew are too many.
  run_record(store& kept_in, std::size_t most) : store_(kept_in), most_(most) {}

  /// Enters a run that begins; false: it is one too many.
  bool add(const closure_request& request);
  void count_anew();
  /// The closure of the first that was too many.
  std::optional<std::string> too_many_of() const;

  /// The place of a claim in the order; a number above all places for one that never came to run.
  std::size_t place_of(job_id id, std::int64_t claim) const;

 private:
  store& store_;
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::map<std::pair<job_id, std::int64_t>, std::size_t> places_;  // guarded by mutex_
  std::size_t counted_ = 0;                                        // guarded by mutex_
  std::optional<std::string> too_many_of_;                         // guarded by mutex_
};

}  // namespace weft::inline v1::jobs
