#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <weft/closure/runner.hpp>
#include <weft/core/clock.hpp>
#include <weft/jobs/control_messages.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/attempt.hpp"
#include "jobs/later_pushes.hpp"

namespace weft::inline v1::jobs {

/// The worker's end of a run_link: answers the jobs::control of one attempt, wherever it runs.
class attempt_link final : public run_link {
 public:
  /// `pushes` gets what is to be pushed with the end.
  attempt_link(queue& of, worker_id owner, const claimed_job& claimed, const control_about& about,
               later_pushes& pushes)
      : store_(of.kept_in()),
        keys_(of.keys()),
        clock_(of.clock()),
        owner_(owner),
        claimed_(claimed),
        about_(about),
        pushes_(pushes) {}

  std::string about(std::string_view object) override;
  std::string ask(std::string_view object, std::string_view message) override;

  /// What the function asked for last.
  std::optional<wish> wanted() const;
  /// Why a step that was kept cannot be read here, where another program could; nothing: none was asked for.
  std::optional<failure> unread_step() const;

 private:
  bool is_worth_keeping(const job_progress& one);
  std::optional<std::string> kept_step(std::string_view name);
  std::optional<failure> last_error();

  store& store_;
  const wire::key_ring& keys_;  // sign what is kept of steps
  const clock& clock_;
  const worker_id owner_;
  const claimed_job& claimed_;
  const control_about about_;
  later_pushes& pushes_;
  mutable std::mutex mutex_;
  std::optional<wish> wanted_;        // guarded by mutex_
  std::optional<failure> unread_;     // guarded by mutex_
  std::optional<steady_time> shown_;  // guarded by mutex_; when progress was kept last
};

}  // namespace weft::inline v1::jobs
