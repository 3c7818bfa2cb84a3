#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <weft/core/unique_function.hpp>
#include <weft/http/health.hpp>

namespace weft::inline v1::http {
class server;
}
namespace weft::inline v1::metrics {
class registry;
}
namespace weft::inline v1::net {
class bound_socket;
}

namespace weft::inline v1::ops {

/// Where an admin listens, and what it shows.
struct admin_options {
  std::string listen = "127.0.0.1:9464";  ///< as net::endpoint::parse
  /// One that listens already, in place of `listen`; outlives start().
  const net::bound_socket* listener = nullptr;
  /// Nobody is asked who he is, and fibers, names and figures are shown: so it listens at an address of this
  /// machine alone, or at a Unix socket, unless this says otherwise.
  bool beyond_loopback = false;
  const metrics::registry* metrics = nullptr;  ///< outlives the admin; null: metrics::default_registry()
  /// For what before_metrics() was given, all together; then the figures are given as they are.
  std::chrono::milliseconds refresh_timeout{2000};
};

/// A small HTTP server of its own beside what a program serves, for those who run it. Paths are exact:
///  - GET /metrics: as metrics_handler;
///  - GET /livez, /readyz: as http::health, also while the program stops; GET /startupz: 200 from
///  set_started() on;
///  - GET /fibers: dump_fibers() as text, at most ?max= of them (32); as JSON, list_fibers() of all, where
///  Accept names
///    application/json;
///  - GET /log-level: {"level":"info"}; PUT /log-level with a level's name as its body changes it
///  (log::set_level), with
///    ?seconds= for so long, after which the one before is back.
///
///     weft::ops::admin admin;
///     admin.health().add("database", [&] { return database.is_there(); });
///     admin.start();
///
/// At loopback it answers requests only whose Host is this machine (421 else): a web page whose name was made
/// to lead here is another one.
///
/// Thread-safety: made, started and stopped by one fiber; set_started() from any thread. Lifetime: inside one
/// weft::run; its end stops it.
class admin {
 public:
  /// Throws weft::error (refused) where it would listen beyond this machine and that is not asked for.
  explicit admin(admin_options options = {});
  admin(const admin&) = delete;
  admin& operator=(const admin&) = delete;
  ~admin();

  /// What /readyz asks; its checks are added before start().
  http::health& health() noexcept;
  /// For more routes, and middleware, before start().
  http::server& server() noexcept;
  /// Called before each /metrics, in order, to bring up to date what cannot be read without a wait. Several
  /// requests may be in it. What it throws is logged.
  void before_metrics(unique_function<void()> refresh);

  /// Throws as http::server::start.
  void start();
  /// The program has started: /startupz is 200 now. Calling it again has no effect.
  void set_started() noexcept;
  /// Waits for running requests, for a second at most.
  void stop();
  /// "http://127.0.0.1:9464"; after start().
  std::string url() const;

 private:
  class state;
  std::unique_ptr<state> state_;
};

}  // namespace weft::inline v1::ops
