#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/wait_group.hpp>
#include <weft/service/notifier.hpp>

namespace weft::inline v1::http {
class server;
struct stop_options;
}  // namespace weft::inline v1::http

namespace weft::inline v1::ops {

class admin;

/// Something that a program does as long as it lives.
struct part {
  std::string name = {};
  unique_function<void()> start = {};  ///< returns when it works; what it throws ends the program
  unique_function<void()> run = {};    ///< until it is stopped, on a fiber of its own
  unique_function<void()> stop = {};   ///< makes `run` return, may wait; called at most once
};

/// How a program is told of, and how it ends.
struct lifecycle_options {
  notifier manager = {};
  std::chrono::microseconds watchdog{0};  ///< as loop_watch; zero: none
  /// How long it goes on as before, but is not ready (/readyz), once it is to stop: for balancers to turn
  /// away.
  std::chrono::milliseconds drain_delay{0};

  /// What the service manager put into the environment, and takes it out: for the begin of a program, as
  /// notifier::from_environment.
  static lifecycle_options from_environment();
};

/// The life of a program that serves until it is told to stop: its parts start in order, the service manager
/// hears that it is ready, and signals are obeyed.
///
///     int main() {
///       return weft::ops::run_service([](weft::ops::lifecycle& life) {
///         weft::http::server server{{.listen = "127.0.0.1:8080"}};
///         server.get("/", [] { return "hello"; });
///         life.serve(server);
///         return life.run();
///       });
///     }
///
/// SIGTERM and SIGINT: it is not ready any more, and all parts are stopped side by side, each within its own
/// grace: servers accept nothing and let requests finish, workers claim nothing, finish what runs, and hand
/// the rest back. Then run() gives 0. The second such signal cancels all that still runs, and run() gives 1.
/// SIGHUP: what on_reload() got is called, and SIGUSR1: the log's files are opened anew (log::reopen_sinks),
/// and what on_reopen() got is called. Neither ends the program.
///
/// Thread-safety: made, filled and run by one fiber; stop() and is_stopping() from any fiber or thread.
/// Lifetime: inside one weft::run; what it was given outlives run().
class lifecycle {
 public:
  explicit lifecycle(lifecycle_options options = {});
  lifecycle(const lifecycle&) = delete;
  lifecycle& operator=(const lifecycle&) = delete;

  /// A server that is not started yet.
  lifecycle& serve(http::server& one);
  lifecycle& serve(http::server& one, http::stop_options how);
  /// A jobs::worker, or whatever else has run() and stop().
  template <typename Worker>
    requires requires(Worker& one) {
      one.run();
      one.stop();
    }
  lifecycle& work(Worker& one, std::string name = "worker") {
    return add({.name = std::move(name), .run = [&one] { one.run(); }, .stop = [&one] { one.stop(); }});
  }
  lifecycle& add(part one);
  /// Starts it before all parts and stops it behind them; its /readyz and /startupz follow this life.
  lifecycle& administer(admin& one);

  /// At SIGHUP, on a fiber, one reload at a time; what one throws is logged, the others are called, and the
  /// program goes on. Without any SIGHUP is a line in the log.
  lifecycle& on_reload(unique_function<void()> work);
  /// At SIGUSR1: to open files anew that were renamed, other ones than those of the log. As on_reload.
  lifecycle& on_reopen(unique_function<void()> work);
  /// When all parts have ended in order, last one first; what it throws is logged, and run() gives 1.
  lifecycle& on_stop(unique_function<void()> work);

  /// Starts the parts and returns when they have ended: because of a signal, of stop(), or since none was
  /// left. 0 in order; 1 where a part failed, which ends the others, or at once by a second signal. Throws
  /// what `start` throws, and weft::error as process::signal_watch. Cancelled itself, it cancels the parts
  /// and throws weft::cancelled. Called once.
  int run();

  /// As the first SIGTERM. Never waits; calling it again has no effect.
  void stop() noexcept { stopping_.set(); }
  bool is_stopping() const noexcept { return stopping_.is_set(); }

  /// For words of the program's own: notifier::status.
  const notifier& manager() const noexcept { return options_.manager; }

 private:
  using hooks = std::vector<unique_function<void()>>;

  void live(cancel_scope& everything);
  void run_part(part& one);
  void end_parts();
  void stop_part(part& one);
  void reload();
  void reopen();
  bool call_all(hooks& what, const char* when);

  const lifecycle_options options_;
  std::vector<part> parts_;
  admin* admin_ = nullptr;
  hooks reload_;
  hooks reopen_;
  hooks stop_;
  event stopping_;
  wait_group begun_;                  // parts whose run() has not
  wait_group running_;                // parts
  std::atomic<std::size_t> left_{0};  // parts whose `run` has not returned
  std::atomic<bool> failed_{false};   // or a part, or a hook at the end
  std::atomic<bool> at_once_{false};  // the second signal came
};

/// Runs `body` in a weft::run with a lifecycle as the environment says, and gives what it returns, mostly
/// that of lifecycle::run(): the whole of a service's main(). SIGQUIT prints the fibers on stderr. Unless
/// log::set_default_format was called before, the log is text on a terminal and logfmt elsewhere.
int run_service(unique_function<int(lifecycle&)> body, run_options how = {});

}  // namespace weft::inline v1::ops
