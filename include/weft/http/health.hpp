#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <weft/core/unique_function.hpp>
#include <weft/http/response.hpp>

namespace weft::inline v1::http {

class server;

/// Tells whoever starts and balances servers how one is: GET /livez answers as long as it serves at all, GET
/// /readyz where it should be given requests: not while it stops, nor when a check fails, nor after
/// set_ready(false).
///
///     weft::http::health health;
///     health.add("database", [&] { return database.is_there(); });
///     health.serve_on(server);
///
/// Both answer 200 or 503 with a line for each check, and are always admitted. Why a check failed stands in
/// the log only.
///
/// Thread-safety: set_ready() from any thread; the rest on the server's, the checks added before it starts.
/// Lifetime: outlives the server. Both cancel the checks that still run when they are destroyed, and wait for
/// them; so what a check refers to outlives the server, not only its stop().
class health {
 public:
  health();
  health(const health&) = delete;
  health& operator=(const health&) = delete;
  ~health();

  /// `work` runs for each GET /readyz, on a fiber of its own beside the other checks and those of other
  /// requests. It has failed where it returns false, throws, or takes longer than `limit`; then it is
  /// cancelled. Where it cannot be, as in a request to a store, nobody waits for it; until it has ended the
  /// check fails at once, and is not begun again.
  health& add(std::string name, unique_function<bool()> work,
              std::chrono::milliseconds limit = std::chrono::milliseconds(1000));

  /// Before a stop: balancers turn away while the server still serves all that comes.
  void set_ready(bool ready) noexcept { is_ready_.store(ready, std::memory_order_relaxed); }

  /// Adds both routes.
  void serve_on(server& on);

  /// The answer of /readyz, of a server that does not stop. Waits for the checks.
  response look();

 private:
  class check;
  using checks = std::vector<std::unique_ptr<check>>;
  static void end_runs(const checks& of) noexcept;

  const std::shared_ptr<checks> checks_;  // also the routes', for their end
  std::atomic<bool> is_ready_{true};
};

}  // namespace weft::inline v1::http
