#pragma once

#include <memory>

#include <weft/closure/runner.hpp>
#include <weft/workers/client.hpp>

namespace weft::inline v1::workers {

/// Runs closures in the workers of a pool.
///
/// A worker that dies, exits or has to be killed is an error of the outcome; where one died, the end of what
/// it wrote to its standard error goes to the log. The request's deadline bounds the run; one without has the
/// pool's timeout. Cancelled, the run is asked to give up and its
/// worker is killed if it does not. Thread-safe. Keeps the pool's workers alive.
class worker_runner final : public closure_runner {
 public:
  explicit worker_runner(const client& pool) : pool_(pool.pool_) {}
  closure_outcome run(const closure_request& request) override;
  std::string_view name() const noexcept override { return "in a worker process"; }

 private:
  std::shared_ptr<detail::pool> pool_;
};

}  // namespace weft::inline v1::workers
