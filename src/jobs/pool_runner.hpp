#pragma once

#include <optional>
#include <utility>

#include <weft/closure/runner.hpp>
#include <weft/executor/executor.hpp>
#include <weft/executor/future.hpp>

namespace weft::inline v1::jobs {

/// Runs closures on threads of an executor. Nobody can end one that neither waits nor looks: its deadline and
/// cancellation are in its context, and whoever is cancelled waits for its end. Where the executor takes no
/// more tasks, which others may have filled, a run waits for room: it looks again after pauses that grow,
/// until its deadline.
class pool_runner final : public closure_runner {
 public:
  /// `app` outlives the runner.
  pool_runner(services& app, executor on) : in_place_(app), on_(std::move(on)) {}
  closure_outcome run(const closure_request& request) override;
  std::string_view name() const noexcept override { return "on a pool"; }

 private:
  /// Nothing: the executor is full.
  std::optional<future<closure_outcome>> submit(const closure_request& request);

  in_place_runner in_place_;
  executor on_;
};

}  // namespace weft::inline v1::jobs
