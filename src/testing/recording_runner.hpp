#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include <weft/closure/runner.hpp>
#include <weft/jobs/store.hpp>

namespace weft::jobs {

/// Remembers in which order the claims came to run, and says when there were too many.
class recording_runner final : public closure_runner {
 public:
  /// `within` runs the closures. The call after `most` of them, and each further one, calls `too_many`, with
  /// the identity of its closure, before it runs.
  recording_runner(closure_runner& within, store& kept_in, std::size_t most,
                   std::function<void(const std::string&)> too_many)
      : within_(within), store_(kept_in), most_(most), too_many_(std::move(too_many)) {}

  closure_outcome run(const closure_request& request) override;
  std::string_view name() const noexcept override { return within_.name(); }

  /// The place of a claim in the order; a number above all places for one that never came to run.
  std::size_t place_of(job_id id, std::int64_t claim) const;

 private:
  closure_runner& within_;
  store& store_;
  const std::size_t most_;
  const std::function<void(const std::string&)> too_many_;
  mutable std::mutex mutex_;
  std::map<std::pair<job_id, std::int64_t>, std::size_t> places_;  // guarded by mutex_
};

}  // namespace weft::jobs
